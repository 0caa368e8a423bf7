-- Row-level security and grants of the new tables, and the verbs of attachments as functions. The API and a host
-- application in the same database call the same ones, each through its own door. They run as filegraph_functions, a role
-- that may do just this and is bound by row-level security; it and filegraph_host are made before any migration.

DO $$
DECLARE
  tenant_table text;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY['attachments', 'cleanup_runs', 'orphan_objects'] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format(
      'CREATE POLICY tenant_boundary ON %I USING (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid) WITH CHECK (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)',
      tenant_table
    );
  END LOOP;
END
$$;
--> statement-breakpoint
GRANT SELECT ON attachments TO filegraph_app;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON cleanup_runs, installation TO filegraph_app;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON orphan_objects TO filegraph_app;
--> statement-breakpoint
CREATE SCHEMA filegraph;
--> statement-breakpoint
REVOKE ALL ON SCHEMA filegraph FROM PUBLIC;
--> statement-breakpoint
GRANT USAGE ON SCHEMA filegraph TO filegraph_app, filegraph_host, filegraph_functions;
--> statement-breakpoint
GRANT USAGE ON SCHEMA public TO filegraph_functions;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON attachments TO filegraph_functions;
--> statement-breakpoint
GRANT SELECT ON files, tenant_usage TO filegraph_functions;
--> statement-breakpoint
GRANT UPDATE (attachment_count, soft_deleted_at, soft_deleted_by, updated_at) ON files TO filegraph_functions;
--> statement-breakpoint
GRANT UPDATE (file_count, trashed_count) ON tenant_usage TO filegraph_functions;
--> statement-breakpoint
GRANT SELECT, INSERT ON principals TO filegraph_functions;
--> statement-breakpoint
GRANT INSERT ON audit_log, events TO filegraph_functions;
--> statement-breakpoint
CREATE FUNCTION filegraph.current_tenant() RETURNS uuid
  LANGUAGE plpgsql STABLE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant uuid := nullif(current_setting('app.tenant_id', true), '')::uuid;
BEGIN
  IF tenant IS NULL THEN
    RAISE EXCEPTION 'No tenant is set: call filegraph.set_tenant first, in this transaction'
      USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN tenant;
END
$$;
--> statement-breakpoint
-- A UUIDv7 (RFC 9562) of a time. Where the standard leaves room for a counter it counts the ids of this transaction, so that
-- changes of the same millisecond stay in order.
CREATE FUNCTION filegraph.new_id(at timestamptz) RETURNS uuid
  LANGUAGE plpgsql VOLATILE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  nth integer := coalesce(nullif(current_setting('filegraph.ids_made', true), ''), '0')::integer % 4096;
  milliseconds bytea := substring(int8send(floor(extract(epoch FROM at) * 1000)::bigint) FROM 3);
  bytes bytea := overlay(uuid_send(gen_random_uuid()) PLACING milliseconds FROM 1 FOR 6);
BEGIN
  PERFORM set_config('filegraph.ids_made', (nth + 1)::text, true);
  RETURN encode(set_byte(set_byte(bytes, 6, 112 | (nth >> 8)), 7, nth & 255), 'hex')::uuid;
END
$$;
--> statement-breakpoint
-- The file that an id of the API names, or a bare UUID; null for anything else.
CREATE FUNCTION filegraph.file_id(id text) RETURNS uuid
  LANGUAGE plpgsql IMMUTABLE
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  plain text := id;
BEGIN
  IF id ~ '^[A-Za-z0-9_-]{55}$' THEN
    plain := substring(convert_from(decode(translate(id, '-_', '+/') || '=', 'base64'), 'UTF8') FROM '^File:(.*)$');
  END IF;
  IF plain ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' THEN
    RETURN plain::uuid;
  END IF;
  RETURN NULL;
EXCEPTION WHEN data_exception THEN
  RETURN NULL;
END
$$;
--> statement-breakpoint
-- The one audit entry and the one event of a change to a file.
CREATE FUNCTION filegraph.record_file_change(
  tenant uuid, actor uuid, origin jsonb, at timestamptz, change text, file uuid, file_name text, details jsonb
) RETURNS void
  LANGUAGE sql
  SET search_path = pg_catalog, pg_temp
AS $$
  INSERT INTO public.audit_log
    (tenant_id, id, at, actor_id, action, subject_type, subject_id, subject_name, payload, request_id, address, user_agent)
  VALUES
    (tenant, filegraph.new_id(at), at, actor, change, 'file', file, file_name, details,
     origin ->> 'requestId', origin ->> 'address', left(origin ->> 'userAgent', 300));
  INSERT INTO public.events (tenant_id, id, type, subject_type, subject_id, payload, created_at)
  VALUES (tenant, filegraph.new_id(at), change, 'file', file, jsonb_build_object('name', file_name) || details, at);
$$;
--> statement-breakpoint
-- Attaches a live file, once. Answers ATTACHED, ALREADY, NO_FILE or TRASHED.
CREATE FUNCTION filegraph.attach_as(
  actor uuid, origin jsonb, at timestamptz, file uuid, of_type text, of_id text, in_slot text
) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant uuid := filegraph.current_tenant();
  target record;
BEGIN
  -- Whoever deletes, restores or purges the file takes the same lock first, so what is seen here stays true.
  SELECT f.original_file_name, f.soft_deleted_at, f.purged_at INTO target
  FROM public.files f WHERE f.tenant_id = tenant AND f.id = file FOR UPDATE;
  IF NOT FOUND OR target.purged_at IS NOT NULL THEN
    RETURN 'NO_FILE';
  END IF;
  IF target.soft_deleted_at IS NOT NULL THEN
    RETURN 'TRASHED';
  END IF;
  WITH added AS (
    INSERT INTO public.attachments (tenant_id, id, file_id, owner_type, owner_id, slot, created_by, created_at)
    VALUES (tenant, filegraph.new_id(at), file, of_type, of_id, in_slot, actor, at)
    ON CONFLICT ON CONSTRAINT attachments_once DO NOTHING
    RETURNING 1
  )
  UPDATE public.files f SET attachment_count = f.attachment_count + 1, updated_at = at
  FROM added WHERE f.tenant_id = tenant AND f.id = file;
  IF NOT FOUND THEN
    RETURN 'ALREADY';
  END IF;
  PERFORM filegraph.record_file_change(tenant, actor, origin, at, 'file.attached', file, target.original_file_name,
    jsonb_build_object('ownerType', of_type, 'ownerId', of_id, 'slot', in_slot));
  RETURN 'ATTACHED';
END
$$;
--> statement-breakpoint
-- Detaches a file. The last detachment of a file that is kept only while attached puts it into the trash, unless it is
-- held. Answers DETACHED, TRASHED, NOT_ATTACHED or NO_FILE.
CREATE FUNCTION filegraph.detach_as(
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
  PERFORM filegraph.record_file_change(tenant, actor, origin, at, 'file.deleted', file, target.original_file_name,
    jsonb_build_object('because', 'the last attachment was removed'));
  RETURN 'TRASHED';
END
$$;
--> statement-breakpoint
-- Makes a file the only one in a slot of an owner: "change my avatar". Answers as attach_as does, and changes nothing
-- where that is NO_FILE or TRASHED.
CREATE FUNCTION filegraph.replace_as(
  actor uuid, origin jsonb, at timestamptz, file uuid, of_type text, of_id text, in_slot text
) RETURNS text
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant uuid := filegraph.current_tenant();
  locked uuid[];
  occupants uuid[] := '{}';
  outcome text;
  occupant uuid;
BEGIN
  -- Two replacements of one slot must not both stay: they meet at the files that are in it, or, where it is empty, at the
  -- row of the tenant's usage. What is in the slot is read again after each wait.
  LOOP
    locked := occupants;
    PERFORM 1 FROM public.files f WHERE f.tenant_id = tenant AND f.id = ANY (locked || file) ORDER BY f.id FOR UPDATE;
    IF cardinality(locked) = 0 THEN
      PERFORM 1 FROM public.tenant_usage u WHERE u.tenant_id = tenant FOR UPDATE;
    END IF;
    SELECT coalesce(array_agg(a.file_id ORDER BY a.file_id), '{}') INTO occupants
    FROM public.attachments a
    WHERE a.tenant_id = tenant AND a.owner_type = of_type AND a.owner_id = of_id AND a.slot = in_slot
      AND a.file_id <> file;
    EXIT WHEN occupants <@ locked;
  END LOOP;
  outcome := filegraph.attach_as(actor, origin, at, file, of_type, of_id, in_slot);
  IF outcome IN ('NO_FILE', 'TRASHED') THEN
    RETURN outcome;
  END IF;
  FOREACH occupant IN ARRAY occupants LOOP
    PERFORM filegraph.detach_as(actor, origin, at, occupant, of_type, of_id, in_slot);
  END LOOP;
  RETURN outcome;
END
$$;
--> statement-breakpoint
-- ── The door of a host application ───────────────────────────────────────────────────────────────────────────────────

-- Sets the tenant of this transaction, and who acts in it: the id of a user of the host application, as in its tokens.
CREATE FUNCTION filegraph.set_tenant(tenant uuid, user_id text DEFAULT NULL) RETURNS void
  LANGUAGE plpgsql
  SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF tenant IS NULL THEN
    RAISE EXCEPTION 'A tenant has to be given' USING ERRCODE = 'null_value_not_allowed';
  END IF;
  EXECUTE format('SET LOCAL app.tenant_id = %L', tenant);
  EXECUTE format('SET LOCAL app.host_user_id = %L', coalesce(user_id, ''));
END
$$;
--> statement-breakpoint
-- Who acts: the user, where the API knows it already; else the host application itself, with the user's id in the origin.
CREATE FUNCTION filegraph.host_actor(tenant uuid, at timestamptz) RETURNS uuid
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  host_user text := nullif(current_setting('app.host_user_id', true), '');
  host_application constant uuid := '00000000-0000-7000-8000-000000000002';
  actor uuid;
BEGIN
  SELECT p.id INTO actor FROM public.principals p
  WHERE p.tenant_id = tenant AND p.kind = 'EXTERNAL' AND p.subject = host_user;
  IF FOUND THEN
    RETURN actor;
  END IF;
  INSERT INTO public.principals (tenant_id, id, kind, subject, name, created_at)
  VALUES (tenant, host_application, 'SYSTEM', host_application::text, 'Host application', at)
  ON CONFLICT DO NOTHING;
  RETURN host_application;
END
$$;
--> statement-breakpoint
CREATE FUNCTION filegraph.change_from_host(verb text, file_id text, owner_type text, owner_id text, slot text) RETURNS boolean
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
  outcome text;
BEGIN
  IF owner_type IS NULL OR owner_type !~ '^[^[:cntrl:]]{1,100}$' THEN
    RAISE EXCEPTION 'owner_type has to be 1 to 100 characters without control characters' USING ERRCODE = 'invalid_parameter_value';
  ELSIF owner_id IS NULL OR owner_id !~ '^[^[:cntrl:]]{1,200}$' THEN
    RAISE EXCEPTION 'owner_id has to be 1 to 200 characters without control characters' USING ERRCODE = 'invalid_parameter_value';
  ELSIF slot IS NULL OR slot !~ '^[^[:cntrl:]]{1,100}$' THEN
    RAISE EXCEPTION 'slot has to be 1 to 100 characters without control characters' USING ERRCODE = 'invalid_parameter_value';
  END IF;
  actor := filegraph.host_actor(tenant, at);
  outcome := CASE verb
    WHEN 'attach' THEN filegraph.attach_as(actor, origin, at, file, owner_type, owner_id, slot)
    WHEN 'detach' THEN filegraph.detach_as(actor, origin, at, file, owner_type, owner_id, slot)
    WHEN 'replace' THEN filegraph.replace_as(actor, origin, at, file, owner_type, owner_id, slot)
  END;
  IF outcome = 'NO_FILE' THEN
    RAISE EXCEPTION 'There is no such file' USING ERRCODE = 'no_data_found';
  ELSIF outcome = 'TRASHED' AND verb <> 'detach' THEN
    RAISE EXCEPTION 'The file is in the trash: restore it first' USING ERRCODE = 'object_not_in_prerequisite_state';
  END IF;
  RETURN outcome NOT IN ('ALREADY', 'NOT_ATTACHED');
END
$$;
--> statement-breakpoint
-- Attaches a file to a row of the host application. True if it was not attached there yet.
CREATE FUNCTION filegraph.attach_file(file_id text, owner_type text, owner_id text, slot text DEFAULT 'default') RETURNS boolean
  LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$ SELECT filegraph.change_from_host('attach', file_id, owner_type, owner_id, slot) $$;
--> statement-breakpoint
-- Takes it away again. True if it was attached there.
CREATE FUNCTION filegraph.detach_file(file_id text, owner_type text, owner_id text, slot text DEFAULT 'default') RETURNS boolean
  LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$ SELECT filegraph.change_from_host('detach', file_id, owner_type, owner_id, slot) $$;
--> statement-breakpoint
-- Makes it the only file in the slot. True if it was not attached there yet.
CREATE FUNCTION filegraph.replace_attachment(file_id text, owner_type text, owner_id text, slot text DEFAULT 'default') RETURNS boolean
  LANGUAGE sql SET search_path = pg_catalog, pg_temp
AS $$ SELECT filegraph.change_from_host('replace', file_id, owner_type, owner_id, slot) $$;
--> statement-breakpoint
-- Queues a job in the transaction that causes it; it starts once that has committed. Where there is no queue the recurring
-- jobs find the work: this is a hint, the rows are the truth. It runs as the owner of the queue's tables.
CREATE FUNCTION filegraph.enqueue_job(job text, details jsonb, run_at timestamptz, job_key text) RETURNS void
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF to_regprocedure('graphile_worker.add_job(text, json, text, timestamptz, integer, text, integer, text[], text)') IS NULL THEN
    RETURN;
  END IF;
  IF job NOT IN ('run_cleanup', 'delete_blobs') THEN
    RAISE EXCEPTION 'The application does not queue %', job USING ERRCODE = 'invalid_parameter_value';
  END IF;
  EXECUTE 'SELECT graphile_worker.add_job($1, payload => $2, run_at => $3, max_attempts => 1, job_key => $4)'
    USING job, details::json, run_at, job_key;
END
$$;
--> statement-breakpoint
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA filegraph FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION
  filegraph.attach_as(uuid, jsonb, timestamptz, uuid, text, text, text),
  filegraph.detach_as(uuid, jsonb, timestamptz, uuid, text, text, text),
  filegraph.replace_as(uuid, jsonb, timestamptz, uuid, text, text, text),
  filegraph.enqueue_job(text, jsonb, timestamptz, text)
TO filegraph_app;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION
  filegraph.set_tenant(uuid, text),
  filegraph.attach_file(text, text, text, text),
  filegraph.detach_file(text, text, text, text),
  filegraph.replace_attachment(text, text, text, text),
  filegraph.change_from_host(text, text, text, text, text)
TO filegraph_host;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION
  filegraph.current_tenant(),
  filegraph.new_id(timestamptz),
  filegraph.file_id(text),
  filegraph.record_file_change(uuid, uuid, jsonb, timestamptz, text, uuid, text, jsonb)
TO filegraph_functions;
--> statement-breakpoint
-- A role takes ownership only where it could have made the function itself.
GRANT CREATE ON SCHEMA filegraph TO filegraph_functions;
--> statement-breakpoint
ALTER FUNCTION filegraph.attach_as(uuid, jsonb, timestamptz, uuid, text, text, text) OWNER TO filegraph_functions;
--> statement-breakpoint
ALTER FUNCTION filegraph.detach_as(uuid, jsonb, timestamptz, uuid, text, text, text) OWNER TO filegraph_functions;
--> statement-breakpoint
ALTER FUNCTION filegraph.replace_as(uuid, jsonb, timestamptz, uuid, text, text, text) OWNER TO filegraph_functions;
--> statement-breakpoint
ALTER FUNCTION filegraph.host_actor(uuid, timestamptz) OWNER TO filegraph_functions;
--> statement-breakpoint
ALTER FUNCTION filegraph.change_from_host(text, text, text, text, text) OWNER TO filegraph_functions;
--> statement-breakpoint
REVOKE CREATE ON SCHEMA filegraph FROM filegraph_functions;
