-- The journal of a tenant is numbered: `events.seq` counts its changes from 1 without gaps, in the order in which their
-- transactions commit, and an audit entry has the number of its event. The head is `tenant_usage.journal_seq`: its row is the
-- last lock that a change takes, so whoever gets the next number commits next. `transaction_id`, which was no commit order,
-- goes.
--
-- `filegraph.record_changes` is the only place that takes a number. The API calls it as the last statement of a change, the
-- functions for host applications call it through `record_file_change`. Numbers existing rows by their time. Download
-- addresses that were given out had an audit entry only; they get their event, so that each number is an event.
--
-- Locks `events` and `audit_log` exclusively until the end and writes each of their rows once. Stop every process of the version before: it cannot write into a numbered journal. Each tenant is set in turn, since
-- row-level security binds the owner of the tables too.

DROP INDEX "events_journal";
--> statement-breakpoint
DROP TRIGGER "events_written_once" ON "events";
--> statement-breakpoint
ALTER TABLE "audit_log" DISABLE TRIGGER "audit_log_written_once";
--> statement-breakpoint
ALTER TABLE "tenant_usage" ADD COLUMN "journal_seq" bigint DEFAULT 0 NOT NULL;
--> statement-breakpoint
ALTER TABLE "audit_log" ADD COLUMN "seq" bigint;
--> statement-breakpoint
ALTER TABLE "events" ADD COLUMN "seq" bigint;
--> statement-breakpoint
DO $$
DECLARE
  each uuid;
BEGIN
  FOR each IN SELECT s.tenant FROM public.tenant_slugs s ORDER BY s.tenant LOOP
    PERFORM set_config('app.tenant_id', each::text, true);
    INSERT INTO public.events (tenant_id, id, type, subject_type, subject_id, payload, created_at)
    SELECT a.tenant_id, a.id, a.action, a.subject_type, a.subject_id, jsonb_build_object('name', a.subject_name) || a.payload, a.at
    FROM public.audit_log a WHERE a.tenant_id = each AND a.action = 'file.download_url_issued';
    UPDATE public.events e SET seq = numbered.seq
    FROM (
      SELECT n.id, row_number() OVER (ORDER BY n.created_at, n.transaction_id, n.id) AS seq
      FROM public.events n WHERE n.tenant_id = each
    ) AS numbered
    WHERE e.tenant_id = each AND e.id = numbered.id;
    -- The n-th entry about a kind of change of a subject belongs to the n-th event about it.
    UPDATE public.audit_log a SET seq = paired.seq
    FROM (
      SELECT entry.id, event.seq
      FROM (
        SELECT n.id, n.action, n.subject_type, n.subject_id,
          row_number() OVER (PARTITION BY n.action, n.subject_type, n.subject_id ORDER BY n.at, n.id) AS nth
        FROM public.audit_log n WHERE n.tenant_id = each
      ) AS entry
      JOIN (
        SELECT n.seq, n.type, n.subject_type, n.subject_id,
          row_number() OVER (PARTITION BY n.type, n.subject_type, n.subject_id ORDER BY n.seq) AS nth
        FROM public.events n WHERE n.tenant_id = each AND n.type <> 'blob.released'
      ) AS event
        ON event.type = entry.action AND event.subject_type = entry.subject_type
        AND event.subject_id = entry.subject_id AND event.nth = entry.nth
    ) AS paired
    WHERE a.tenant_id = each AND a.id = paired.id;
    -- An entry without an event is a defect that fsck reports. It still needs a number of its own.
    UPDATE public.audit_log a SET seq = numbered.seq
    FROM (
      SELECT n.id, (SELECT coalesce(max(e.seq), 0) FROM public.events e WHERE e.tenant_id = each)
        + row_number() OVER (ORDER BY n.at, n.id) AS seq
      FROM public.audit_log n WHERE n.tenant_id = each AND n.seq IS NULL
    ) AS numbered
    WHERE a.tenant_id = each AND a.id = numbered.id;
    UPDATE public.tenant_usage u SET journal_seq = greatest(
      (SELECT coalesce(max(e.seq), 0) FROM public.events e WHERE e.tenant_id = each),
      (SELECT coalesce(max(a.seq), 0) FROM public.audit_log a WHERE a.tenant_id = each)
    ) WHERE u.tenant_id = each;
  END LOOP;
  PERFORM set_config('app.tenant_id', '', true);
END
$$;
--> statement-breakpoint
ALTER TABLE "audit_log" ALTER COLUMN "seq" SET NOT NULL;
--> statement-breakpoint
ALTER TABLE "events" ALTER COLUMN "seq" SET NOT NULL;
--> statement-breakpoint
ALTER TABLE "events" DROP COLUMN "transaction_id";
--> statement-breakpoint
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_seq" UNIQUE("tenant_id","seq");
--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_journal" UNIQUE("tenant_id","seq");
--> statement-breakpoint
ALTER TABLE "audit_log" ENABLE TRIGGER "audit_log_written_once";
--> statement-breakpoint
CREATE TRIGGER "events_written_once" BEFORE UPDATE ON "events"
  FOR EACH ROW
  WHEN (
    (OLD.tenant_id, OLD.id, OLD.seq, OLD.type, OLD.subject_type, OLD.subject_id, OLD.payload, OLD.created_at)
    IS DISTINCT FROM
    (NEW.tenant_id, NEW.id, NEW.seq, NEW.type, NEW.subject_type, NEW.subject_id, NEW.payload, NEW.created_at)
  )
  EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
-- Numbers follow the lock of the usage row, so nobody may write an event or an entry without it.
REVOKE INSERT ON "events", "audit_log" FROM filegraph_app;
--> statement-breakpoint
GRANT UPDATE (journal_seq, file_count, trashed_count, version_count, stored_bytes, reserved_bytes) ON "tenant_usage" TO filegraph_functions;
--> statement-breakpoint
GRANT CREATE ON SCHEMA filegraph TO filegraph_functions;
--> statement-breakpoint
SET LOCAL ROLE filegraph_functions;
--> statement-breakpoint
-- Writes the events and the audit entries of a transaction, and adds to the counters of the tenant what it changed.
-- Has to be the last statement that takes a lock: it holds the row of the tenant's usage until the end of the transaction.
--
-- changes: an array of {"event": uuid, "entry": uuid or null, "type", "subjectType", "subjectId", "name", "payload"}, in the
--   order in which they are numbered. Without "entry" there is no audit entry.
-- usage: what to add, for example {"fileCount": 1, "storedBytes": 5}; "freedBytes" is taken from the reserved bytes, at least
--   down to 0, since a process of an earlier version may have given them back already.
-- Returns the number of the last change.
CREATE FUNCTION filegraph.record_changes(actor uuid, origin jsonb, at timestamptz, changes jsonb, usage jsonb) RETURNS bigint
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  tenant uuid := filegraph.current_tenant();
  n bigint := jsonb_array_length(changes);
  head bigint;
BEGIN
  UPDATE public.tenant_usage u SET
    journal_seq = u.journal_seq + n,
    file_count = u.file_count + coalesce((usage ->> 'fileCount')::bigint, 0),
    trashed_count = u.trashed_count + coalesce((usage ->> 'trashedCount')::bigint, 0),
    version_count = u.version_count + coalesce((usage ->> 'versionCount')::bigint, 0),
    stored_bytes = u.stored_bytes + coalesce((usage ->> 'storedBytes')::bigint, 0),
    reserved_bytes = CASE WHEN usage ? 'freedBytes'
      THEN greatest(u.reserved_bytes + coalesce((usage ->> 'reservedBytes')::bigint, 0) - (usage ->> 'freedBytes')::bigint, 0)
      ELSE u.reserved_bytes + coalesce((usage ->> 'reservedBytes')::bigint, 0) END
  WHERE u.tenant_id = tenant
  RETURNING u.journal_seq INTO head;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'Tenant % has no usage row', tenant;
  END IF;
  INSERT INTO public.events (tenant_id, id, seq, type, subject_type, subject_id, payload, created_at)
  SELECT tenant, (c.change ->> 'event')::uuid, head - n + c.nth, c.change ->> 'type', c.change ->> 'subjectType',
    (c.change ->> 'subjectId')::uuid,
    CASE WHEN c.change ->> 'entry' IS NULL THEN '{}'::jsonb ELSE jsonb_build_object('name', c.change -> 'name') END
      || coalesce(c.change -> 'payload', '{}'::jsonb),
    at
  FROM jsonb_array_elements(changes) WITH ORDINALITY AS c (change, nth);
  INSERT INTO public.audit_log
    (tenant_id, id, seq, at, actor_id, action, subject_type, subject_id, subject_name, payload, request_id, address, user_agent)
  SELECT tenant, (c.change ->> 'entry')::uuid, head - n + c.nth, at, actor, c.change ->> 'type', c.change ->> 'subjectType',
    (c.change ->> 'subjectId')::uuid, c.change ->> 'name', coalesce(c.change -> 'payload', '{}'::jsonb),
    origin ->> 'requestId', origin ->> 'address', left(origin ->> 'userAgent', 300)
  FROM jsonb_array_elements(changes) WITH ORDINALITY AS c (change, nth)
  WHERE c.change ->> 'entry' IS NOT NULL;
  RETURN head;
END
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION filegraph.record_changes(uuid, jsonb, timestamptz, jsonb, jsonb) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION filegraph.record_changes(uuid, jsonb, timestamptz, jsonb, jsonb) TO filegraph_app;
--> statement-breakpoint
RESET ROLE;
--> statement-breakpoint
REVOKE CREATE ON SCHEMA filegraph FROM filegraph_functions;
--> statement-breakpoint
-- The one audit entry and the one event of a change to a file.
CREATE OR REPLACE FUNCTION filegraph.record_file_change(
  tenant uuid, actor uuid, origin jsonb, at timestamptz, change text, file uuid, file_name text, details jsonb
) RETURNS void
  LANGUAGE sql
  SET search_path = pg_catalog, pg_temp
AS $$
  SELECT filegraph.record_changes(actor, origin, at, jsonb_build_array(jsonb_build_object(
    'event', filegraph.new_id(at), 'entry', filegraph.new_id(at), 'type', change, 'subjectType', 'file',
    'subjectId', file, 'name', file_name, 'payload', details)), '{}'::jsonb);
$$;
