-- Four things about rows.
-- Indexes: each list and sweep that looks for one state gets an index that finds it, and indexes without a reader go.
-- Owners of attachments: characters that change the direction of text are refused. NOT VALID, since rows written before may
-- hold them; those can still be detached.
-- Lock order: replace_as locks all files first, in the order of their ids, and the row of the tenant's usage last.
-- Words: a file that goes to the trash is `file.soft_deleted` in the audit log and the journal. Entries written before keep
-- theirs.
-- Locks: writes to blobs, files, uploads and cleanup_runs wait while their indexes are made.

DROP INDEX "cleanup_runs_open";--> statement-breakpoint
DROP INDEX "blobs_quarantined";--> statement-breakpoint
DROP INDEX "blobs_deleting";--> statement-breakpoint
CREATE INDEX "blobs_deleting" ON "blobs" ("tenant_id","deleting_since","id") WHERE status = 'deleting';--> statement-breakpoint
DROP INDEX "uploads_created";--> statement-breakpoint
CREATE INDEX "uploads_created" ON "uploads" ("tenant_id","created_at","id");--> statement-breakpoint
DROP INDEX "uploads_by_creator";--> statement-breakpoint
CREATE INDEX "uploads_by_creator" ON "uploads" ("tenant_id","created_by","created_at","id");--> statement-breakpoint
CREATE INDEX "cleanup_runs_by_state" ON "cleanup_runs" ("tenant_id","state","created_at","id");--> statement-breakpoint
CREATE INDEX "cleanup_runs_by_kind_and_state" ON "cleanup_runs" ("tenant_id","kind","state","created_at","id");--> statement-breakpoint
CREATE INDEX "blobs_released" ON "blobs" ("tenant_id","deleting_since","id") WHERE status = 'deleting' and purge_not_before is null;--> statement-breakpoint
CREATE INDEX "blobs_postponed" ON "blobs" ("tenant_id","purge_not_before","id") WHERE status = 'deleting' and purge_not_before is not null;--> statement-breakpoint
CREATE INDEX "files_cooling" ON "files" ("tenant_id","soft_deleted_at") WHERE soft_deleted_at is not null and purged_at is null and held_at is null;--> statement-breakpoint
CREATE INDEX "uploads_by_state" ON "uploads" ("tenant_id","state","created_at","id");--> statement-breakpoint
CREATE INDEX "uploads_by_creator_and_state" ON "uploads" ("tenant_id","created_by","state","created_at","id");--> statement-breakpoint
CREATE INDEX "uploads_pending_newest" ON "uploads" ("tenant_id","created_at","id") WHERE state = 'PENDING';--> statement-breakpoint
ALTER TABLE "attachments" DROP CONSTRAINT "attachments_owner_type", ADD CONSTRAINT "attachments_owner_type" CHECK (owner_type ~ '^[^\u0001-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]{1,100}$') NOT VALID;--> statement-breakpoint
ALTER TABLE "attachments" DROP CONSTRAINT "attachments_owner_id", ADD CONSTRAINT "attachments_owner_id" CHECK (owner_id ~ '^[^\u0001-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]{1,200}$') NOT VALID;--> statement-breakpoint
ALTER TABLE "attachments" DROP CONSTRAINT "attachments_slot", ADD CONSTRAINT "attachments_slot" CHECK (slot ~ '^[^\u0001-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]{1,100}$') NOT VALID;
--> statement-breakpoint
-- The functions below belong to filegraph_functions, which may replace them only where it could have made them.
GRANT CREATE ON SCHEMA filegraph TO filegraph_functions;
--> statement-breakpoint
SET LOCAL ROLE filegraph_functions;
--> statement-breakpoint
-- Detaches a file. The last detachment of a file that is kept only while attached puts it into the trash, unless it is
-- held. Returns DETACHED, TRASHED, NOT_ATTACHED or NO_FILE.
CREATE OR REPLACE FUNCTION filegraph.detach_as(
  actor uuid, origin jsonb, at timestamptz, file uuid, of_type text, of_id text, in_slot text
) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant uuid := filegraph.current_tenant();
  -- The later of two clocks: a clock that is behind must not shorten the time in the trash.
  trashed_at timestamptz := greatest(at, date_trunc('milliseconds', clock_timestamp()));
  target record;
  changed record;
BEGIN
  SELECT f.original_file_name, f.purged_at INTO target
  FROM public.files f WHERE f.tenant_id = tenant AND f.id = file FOR UPDATE;
  IF NOT FOUND OR target.purged_at IS NOT NULL THEN
    RETURN 'NO_FILE';
  END IF;
  WITH removed AS (
    DELETE FROM public.attachments a
    WHERE a.tenant_id = tenant AND a.file_id = file AND a.owner_type = of_type AND a.owner_id = of_id AND a.slot = in_slot
    RETURNING 1
  )
  UPDATE public.files f SET
    attachment_count = f.attachment_count - 1,
    soft_deleted_at = CASE WHEN f.attachment_count = 1 AND f.retention = 'WHILE_ATTACHED' AND f.held_at IS NULL
      THEN trashed_at ELSE f.soft_deleted_at END,
    soft_deleted_by = CASE WHEN f.attachment_count = 1 AND f.retention = 'WHILE_ATTACHED' AND f.held_at IS NULL
      THEN actor ELSE f.soft_deleted_by END,
    updated_at = at
  FROM removed WHERE f.tenant_id = tenant AND f.id = file
  RETURNING f.soft_deleted_at INTO changed;
  IF NOT FOUND THEN
    RETURN 'NOT_ATTACHED';
  END IF;
  PERFORM filegraph.record_file_change(tenant, actor, origin, at, 'file.detached', file, target.original_file_name,
    jsonb_build_object('ownerType', of_type, 'ownerId', of_id, 'slot', in_slot));
  IF changed.soft_deleted_at IS NULL THEN
    RETURN 'DETACHED';
  END IF;
  UPDATE public.tenant_usage u SET file_count = u.file_count - 1, trashed_count = u.trashed_count + 1
  WHERE u.tenant_id = tenant;
  PERFORM filegraph.record_file_change(tenant, actor, origin, at, 'file.soft_deleted', file, target.original_file_name,
    jsonb_build_object('because', 'the last attachment was removed'));
  RETURN 'TRASHED';
END
$$;
--> statement-breakpoint
-- Makes a file the only one in a slot of an owner: "change my avatar". Returns what attach_as returns, and changes nothing
-- where that is NO_FILE or TRASHED.
--
-- Two replacements of one slot must not both stay. Where the slot holds files they meet at the locks of those, and where it
-- is empty at the row of the tenant's usage. Locks are taken in the order of all writers: files by id, then usage. What the
-- slot holds can change before they are taken; then the block gives all of them back and begins again, since a file that
-- was found later could come before one that is locked already.
CREATE OR REPLACE FUNCTION filegraph.replace_as(
  actor uuid, origin jsonb, at timestamptz, file uuid, of_type text, of_id text, in_slot text
) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant uuid := filegraph.current_tenant();
  -- What the slot held before the locks, under them, and under the lock of the usage too.
  seen uuid[];
  locked uuid[];
  last uuid[];
  outcome text;
  occupant uuid;
BEGIN
  LOOP
    SELECT coalesce(array_agg(a.file_id), '{}') INTO seen
    FROM public.attachments a
    WHERE a.tenant_id = tenant AND a.owner_type = of_type AND a.owner_id = of_id AND a.slot = in_slot;
    BEGIN
      PERFORM 1 FROM public.files f WHERE f.tenant_id = tenant AND f.id = ANY (seen || file) ORDER BY f.id FOR UPDATE;
      SELECT coalesce(array_agg(a.file_id), '{}') INTO locked
      FROM public.attachments a
      WHERE a.tenant_id = tenant AND a.owner_type = of_type AND a.owner_id = of_id AND a.slot = in_slot;
      last := locked;
      IF cardinality(locked) = 0 THEN
        PERFORM 1 FROM public.tenant_usage u WHERE u.tenant_id = tenant FOR UPDATE;
        SELECT coalesce(array_agg(a.file_id), '{}') INTO last
        FROM public.attachments a
        WHERE a.tenant_id = tenant AND a.owner_type = of_type AND a.owner_id = of_id AND a.slot = in_slot;
      END IF;
      IF NOT last <@ (seen || file) THEN
        RAISE EXCEPTION USING ERRCODE = 'FGR01', MESSAGE = 'The slot has changed';
      END IF;
      outcome := filegraph.attach_as(actor, origin, at, file, of_type, of_id, in_slot);
      IF outcome IN ('NO_FILE', 'TRASHED') THEN
        RETURN outcome;
      END IF;
      FOR occupant IN SELECT o FROM unnest(last) o WHERE o <> file ORDER BY o LOOP
        PERFORM filegraph.detach_as(actor, origin, at, occupant, of_type, of_id, in_slot);
      END LOOP;
      RETURN outcome;
    EXCEPTION WHEN SQLSTATE 'FGR01' THEN
      NULL;
    END;
  END LOOP;
END
$$;
--> statement-breakpoint
-- An owner that attach_file would refuse is detached where it is attached, since it may have been attached before that rule.
CREATE OR REPLACE FUNCTION filegraph.change_from_host(verb text, file_id text, owner_type text, owner_id text, slot text) RETURNS boolean
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant uuid := filegraph.current_tenant();
  at timestamptz := date_trunc('milliseconds', clock_timestamp());
  file uuid := filegraph.file_id(file_id);
  actor uuid;
  origin jsonb := jsonb_strip_nulls(jsonb_build_object('userAgent',
    'host application' || coalesce(', user ' || nullif(current_setting('app.host_user_id', true), ''), '')));
  -- Control characters, line separators, and characters that change the direction of text.
  plain constant text := '^[^\u0001-\u001F\u007F-\u009F\u2028-\u202E\u2066-\u2069]+$';
  refused text;
  outcome text;
BEGIN
  IF owner_type IS NULL OR char_length(owner_type) NOT BETWEEN 1 AND 100 THEN
    RAISE EXCEPTION 'owner_type has to be 1 to 100 characters' USING ERRCODE = 'invalid_parameter_value';
  ELSIF owner_id IS NULL OR char_length(owner_id) NOT BETWEEN 1 AND 200 THEN
    RAISE EXCEPTION 'owner_id has to be 1 to 200 characters' USING ERRCODE = 'invalid_parameter_value';
  ELSIF slot IS NULL OR char_length(slot) NOT BETWEEN 1 AND 100 THEN
    RAISE EXCEPTION 'slot has to be 1 to 100 characters' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  refused := CASE WHEN owner_type !~ plain THEN 'owner_type' WHEN owner_id !~ plain THEN 'owner_id' WHEN slot !~ plain THEN 'slot' END;
  IF refused IS NULL OR verb = 'detach' THEN
    actor := filegraph.host_actor(tenant, at);
    outcome := CASE verb
      WHEN 'attach' THEN filegraph.attach_as(actor, origin, at, file, owner_type, owner_id, slot)
      WHEN 'detach' THEN filegraph.detach_as(actor, origin, at, file, owner_type, owner_id, slot)
      WHEN 'replace' THEN filegraph.replace_as(actor, origin, at, file, owner_type, owner_id, slot)
    END;
  END IF;
  IF refused IS NOT NULL AND outcome IS DISTINCT FROM 'DETACHED' AND outcome IS DISTINCT FROM 'TRASHED' THEN
    RAISE EXCEPTION '% has to be free of control characters and characters that change the reading direction', refused
      USING ERRCODE = 'invalid_parameter_value';
  ELSIF outcome = 'NO_FILE' THEN
    RAISE EXCEPTION 'There is no such file' USING ERRCODE = 'no_data_found';
  ELSIF outcome = 'TRASHED' AND verb <> 'detach' THEN
    RAISE EXCEPTION 'The file is in the trash: restore it first' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN outcome NOT IN ('ALREADY', 'NOT_ATTACHED');
END
$$;
--> statement-breakpoint
RESET ROLE;
--> statement-breakpoint
REVOKE CREATE ON SCHEMA filegraph FROM filegraph_functions;
--> statement-breakpoint
-- The user's id gets into the audit log: it is refused where the API would refuse it in a token.
CREATE OR REPLACE FUNCTION filegraph.set_tenant(tenant uuid, user_id text DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF tenant IS NULL THEN
    RAISE EXCEPTION 'A tenant has to be given' USING ERRCODE = 'null_value_not_allowed';
  ELSIF user_id ~ '[\u0001-\u001F\u007F-\u009F\u200E\u200F\u2028-\u202E\u2066-\u2069]' THEN
    RAISE EXCEPTION 'user_id has to be free of control characters and characters that change the reading direction'
      USING ERRCODE = 'invalid_parameter_value';
  END IF;
  EXECUTE format('SET LOCAL app.tenant_id = %L', tenant);
  EXECUTE format('SET LOCAL app.host_user_id = %L', coalesce(user_id, ''));
END
$$;
