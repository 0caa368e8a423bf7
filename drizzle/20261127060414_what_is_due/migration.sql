-- What is due is asked once, over all tenants, instead of in each tenant: indexes that begin with the time that makes something
-- due, functions that read them, and a role for those functions. sweep_schedule says when sweeps with a cadence look at a tenant
-- next. Runs get a heartbeat; those of the version before get the time of the migration, so that one whose process has died is
-- ended a minute later.
-- Locks cleanup_runs, tenant_slugs and, for its foreign key, tenants exclusively for a moment: the new columns are null or have a
-- default that is computed once, so no row is rewritten. Making the indexes reads blobs, uploads and cleanup_runs once and stops
-- writes to each meanwhile; the indexes themselves hold few rows.

CREATE TABLE "sweep_schedule" (
	"tenant_id" uuid,
	"kind" text,
	"due_at" timestamp(3) with time zone,
	"not_before" timestamp(3) with time zone NOT NULL,
	"failures" integer NOT NULL,
	CONSTRAINT "sweep_schedule_pk" PRIMARY KEY("tenant_id","kind"),
	CONSTRAINT "sweep_schedule_kind" CHECK (kind in ('EXPIRE_UPLOADS', 'ABORT_UPLOADS', 'PURGE_FILES', 'DELETE_BLOBS', 'RECONCILE', 'VERIFY'))
);
--> statement-breakpoint
ALTER TABLE "cleanup_runs" ADD COLUMN "heartbeat_at" timestamp(3) with time zone DEFAULT now() NOT NULL;--> statement-breakpoint
ALTER TABLE "cleanup_runs" ADD COLUMN "claim" uuid;--> statement-breakpoint
ALTER TABLE "cleanup_runs" ADD COLUMN "interruptions" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "tenant_slugs" ADD COLUMN "scheduled_at" timestamp(3) with time zone;--> statement-breakpoint
CREATE INDEX "cleanup_runs_waiting" ON "cleanup_runs" ("heartbeat_at","tenant_id") WHERE state = 'QUEUED' and tenant_id <> '00000000-0000-0000-0000-000000000000';--> statement-breakpoint
CREATE INDEX "cleanup_runs_alive" ON "cleanup_runs" ("heartbeat_at","tenant_id") WHERE state = 'RUNNING' and tenant_id <> '00000000-0000-0000-0000-000000000000';--> statement-breakpoint
CREATE INDEX "sweep_schedule_due" ON "sweep_schedule" ("kind","due_at","tenant_id") WHERE tenant_id <> '00000000-0000-0000-0000-000000000000';--> statement-breakpoint
CREATE INDEX "sweep_schedule_paused" ON "sweep_schedule" ("kind","not_before","tenant_id") WHERE tenant_id <> '00000000-0000-0000-0000-000000000000';--> statement-breakpoint
CREATE INDEX "blobs_released_due" ON "blobs" ("deleting_since","tenant_id") WHERE status = 'deleting' and purge_not_before is null and tenant_id <> '00000000-0000-0000-0000-000000000000';--> statement-breakpoint
CREATE INDEX "blobs_postponed_due" ON "blobs" ("purge_not_before","tenant_id") WHERE status = 'deleting' and purge_not_before is not null and tenant_id <> '00000000-0000-0000-0000-000000000000';--> statement-breakpoint
CREATE INDEX "blobs_doubtful_due" ON "blobs" ("verified_at","tenant_id") WHERE status = 'ready' and (sha256 is null or quarantined_at is not null) and tenant_id <> '00000000-0000-0000-0000-000000000000';--> statement-breakpoint
CREATE INDEX "tenant_slugs_unscheduled" ON "tenant_slugs" ("tenant") WHERE scheduled_at is null;--> statement-breakpoint
CREATE INDEX "uploads_due" ON "uploads" ("expires_at","tenant_id") WHERE state = 'PENDING' and tenant_id <> '00000000-0000-0000-0000-000000000000';--> statement-breakpoint
ALTER TABLE "sweep_schedule" ADD CONSTRAINT "sweep_schedule_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT;
--> statement-breakpoint
ALTER TABLE sweep_schedule ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ALTER TABLE sweep_schedule ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE sweep_schedule FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY tenant_boundary ON sweep_schedule
  USING (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (tenant_id = nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON sweep_schedule TO filegraph_app;
--> statement-breakpoint
GRANT UPDATE (scheduled_at) ON tenant_slugs TO filegraph_app;
--> statement-breakpoint
-- Across tenants, filegraph_schedule reads the times that make something due and the ids of tenants, and nothing else.
CREATE POLICY due_in_any_tenant ON uploads FOR SELECT TO filegraph_schedule USING (true);
--> statement-breakpoint
CREATE POLICY due_in_any_tenant ON blobs FOR SELECT TO filegraph_schedule USING (true);
--> statement-breakpoint
CREATE POLICY due_in_any_tenant ON cleanup_runs FOR SELECT TO filegraph_schedule USING (true);
--> statement-breakpoint
CREATE POLICY due_in_any_tenant ON sweep_schedule FOR SELECT TO filegraph_schedule USING (true);
--> statement-breakpoint
GRANT USAGE ON SCHEMA filegraph TO filegraph_schedule;
--> statement-breakpoint
GRANT SELECT (tenant_id, state, expires_at) ON uploads TO filegraph_schedule;
--> statement-breakpoint
GRANT SELECT (tenant_id, status, sha256, deleting_since, purge_not_before, purge_claimed_until, verified_at, quarantined_at)
  ON blobs TO filegraph_schedule;
--> statement-breakpoint
GRANT SELECT (tenant_id, kind, state, requested_by, heartbeat_at) ON cleanup_runs TO filegraph_schedule;
--> statement-breakpoint
GRANT SELECT (tenant_id, kind, due_at, not_before) ON sweep_schedule TO filegraph_schedule;
--> statement-breakpoint
-- Tenants that a sweep leaves alone for now: its last look there failed a short time ago, or it is at work there. The nil UUID is
-- no tenant: to exclude it is what the statements across tenants have in common with the predicates of their indexes, and with no
-- statement in one tenant.
CREATE FUNCTION filegraph.busy_tenants(sweep text, now_at timestamptz, silent_ms integer) RETURNS TABLE (tenant uuid)
  LANGUAGE sql STABLE
  SET search_path = pg_catalog, pg_temp
AS $$
  SELECT s.tenant_id FROM filegraph.sweep_schedule s
  WHERE s.tenant_id <> '00000000-0000-0000-0000-000000000000' AND s.kind = sweep AND s.not_before > now_at
  UNION ALL
  SELECT r.tenant_id FROM filegraph.cleanup_runs r
  WHERE r.tenant_id <> '00000000-0000-0000-0000-000000000000' AND r.state = 'RUNNING' AND r.kind = sweep
    AND r.heartbeat_at > now() - silent_ms * interval '1 millisecond'
$$;
--> statement-breakpoint
-- The functions below list tenants with work, the longest due first. Each reads at most 10,000 rows that are due, of tenants
-- that are not busy: a tenant that fails, or one with very much to do, keeps nobody else from being found.
CREATE FUNCTION filegraph.due_uploads(now_at timestamptz, silent_ms integer, most integer) RETURNS TABLE (tenant uuid)
  LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
  SELECT due.tenant_id FROM (
    SELECT u.tenant_id, u.expires_at AS since FROM filegraph.uploads u
    WHERE u.tenant_id <> '00000000-0000-0000-0000-000000000000' AND u.state = 'PENDING' AND u.expires_at <= now_at
      AND u.tenant_id NOT IN (SELECT busy.tenant FROM filegraph.busy_tenants('EXPIRE_UPLOADS', now_at, silent_ms) busy)
    ORDER BY u.expires_at LIMIT 10000
  ) due
  GROUP BY due.tenant_id ORDER BY min(due.since) LIMIT most
$$;
--> statement-breakpoint
-- Released before `cooled_at`, and either never looked at or postponed until now.
CREATE FUNCTION filegraph.due_blobs(now_at timestamptz, cooled_at timestamptz, silent_ms integer, most integer)
  RETURNS TABLE (tenant uuid)
  LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
  WITH busy AS MATERIALIZED (SELECT b.tenant FROM filegraph.busy_tenants('DELETE_BLOBS', now_at, silent_ms) b)
  SELECT due.tenant_id FROM (
    (SELECT b.tenant_id, b.deleting_since AS since FROM filegraph.blobs b
      WHERE b.tenant_id <> '00000000-0000-0000-0000-000000000000' AND b.status = 'deleting' AND b.purge_not_before IS NULL
        AND b.deleting_since <= cooled_at
        AND (b.purge_claimed_until IS NULL OR b.purge_claimed_until <= now_at)
        AND b.tenant_id NOT IN (SELECT busy.tenant FROM busy)
      ORDER BY b.deleting_since LIMIT 10000)
    UNION ALL
    (SELECT b.tenant_id, b.purge_not_before FROM filegraph.blobs b
      WHERE b.tenant_id <> '00000000-0000-0000-0000-000000000000' AND b.status = 'deleting' AND b.purge_not_before IS NOT NULL
        AND b.purge_not_before <= now_at AND b.deleting_since <= cooled_at
        AND (b.purge_claimed_until IS NULL OR b.purge_claimed_until <= now_at)
        AND b.tenant_id NOT IN (SELECT busy.tenant FROM busy)
      ORDER BY b.purge_not_before LIMIT 10000)
  ) due
  GROUP BY due.tenant_id ORDER BY min(due.since) LIMIT most
$$;
--> statement-breakpoint
-- Bytes without a SHA-256 or in quarantine that were not read since `verified_before`. Proved bytes are due by the schedule.
CREATE FUNCTION filegraph.due_verifications(now_at timestamptz, verified_before timestamptz, silent_ms integer, most integer)
  RETURNS TABLE (tenant uuid)
  LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
  SELECT due.tenant_id FROM (
    SELECT b.tenant_id, b.verified_at AS since FROM filegraph.blobs b
    WHERE b.tenant_id <> '00000000-0000-0000-0000-000000000000' AND b.status = 'ready' AND (b.sha256 IS NULL OR b.quarantined_at IS NOT NULL)
      AND b.verified_at < verified_before
      AND b.tenant_id NOT IN (SELECT busy.tenant FROM filegraph.busy_tenants('VERIFY', now_at, silent_ms) busy)
    ORDER BY b.verified_at LIMIT 10000
  ) due
  GROUP BY due.tenant_id ORDER BY min(due.since) LIMIT most
$$;
--> statement-breakpoint
-- The sweeps with a cadence.
CREATE FUNCTION filegraph.due_by_schedule(sweep text, now_at timestamptz, silent_ms integer, most integer)
  RETURNS TABLE (tenant uuid)
  LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
  SELECT s.tenant_id FROM filegraph.sweep_schedule s
  WHERE s.tenant_id <> '00000000-0000-0000-0000-000000000000' AND s.kind = sweep AND s.due_at <= now_at
    AND s.tenant_id NOT IN (SELECT busy.tenant FROM filegraph.busy_tenants(sweep, now_at, silent_ms) busy)
  ORDER BY s.due_at LIMIT most
$$;
--> statement-breakpoint
-- Runs that people asked for and that nobody makes, and runs whose worker has died. A tenant has its runs made one after the
-- other, so one in which such a run is under way is left out. `system_id` is who requests the runs of the schedule.
CREATE FUNCTION filegraph.due_runs(system_id uuid, silent_ms integer, most integer) RETURNS TABLE (tenant uuid)
  LANGUAGE sql STABLE SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
  SELECT due.tenant_id FROM (
    (SELECT r.tenant_id, r.heartbeat_at AS since FROM filegraph.cleanup_runs r
      WHERE r.tenant_id <> '00000000-0000-0000-0000-000000000000' AND r.state = 'QUEUED' AND r.requested_by <> system_id
        AND r.tenant_id NOT IN (
          SELECT busy.tenant_id FROM filegraph.cleanup_runs busy
          WHERE busy.tenant_id <> '00000000-0000-0000-0000-000000000000' AND busy.state = 'RUNNING' AND busy.requested_by <> system_id
            AND busy.heartbeat_at > now() - silent_ms * interval '1 millisecond')
      ORDER BY r.heartbeat_at LIMIT 10000)
    UNION ALL
    (SELECT r.tenant_id, r.heartbeat_at FROM filegraph.cleanup_runs r
      WHERE r.tenant_id <> '00000000-0000-0000-0000-000000000000' AND r.state = 'RUNNING'
        AND r.heartbeat_at <= now() - silent_ms * interval '1 millisecond'
      ORDER BY r.heartbeat_at LIMIT 10000)
  ) due
  GROUP BY due.tenant_id ORDER BY min(due.since) LIMIT most
$$;
--> statement-breakpoint
REVOKE ALL ON FUNCTION
  filegraph.busy_tenants(text, timestamptz, integer),
  filegraph.due_uploads(timestamptz, integer, integer),
  filegraph.due_blobs(timestamptz, timestamptz, integer, integer),
  filegraph.due_verifications(timestamptz, timestamptz, integer, integer),
  filegraph.due_by_schedule(text, timestamptz, integer, integer),
  filegraph.due_runs(uuid, integer, integer)
FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION
  filegraph.due_uploads(timestamptz, integer, integer),
  filegraph.due_blobs(timestamptz, timestamptz, integer, integer),
  filegraph.due_verifications(timestamptz, timestamptz, integer, integer),
  filegraph.due_by_schedule(text, timestamptz, integer, integer),
  filegraph.due_runs(uuid, integer, integer)
TO filegraph_app;
--> statement-breakpoint
-- A role takes ownership only where it could have made the function itself.
GRANT CREATE ON SCHEMA filegraph TO filegraph_schedule;
--> statement-breakpoint
ALTER FUNCTION filegraph.busy_tenants(text, timestamptz, integer) OWNER TO filegraph_schedule;
--> statement-breakpoint
ALTER FUNCTION filegraph.due_uploads(timestamptz, integer, integer) OWNER TO filegraph_schedule;
--> statement-breakpoint
ALTER FUNCTION filegraph.due_blobs(timestamptz, timestamptz, integer, integer) OWNER TO filegraph_schedule;
--> statement-breakpoint
ALTER FUNCTION filegraph.due_verifications(timestamptz, timestamptz, integer, integer) OWNER TO filegraph_schedule;
--> statement-breakpoint
ALTER FUNCTION filegraph.due_by_schedule(text, timestamptz, integer, integer) OWNER TO filegraph_schedule;
--> statement-breakpoint
ALTER FUNCTION filegraph.due_runs(uuid, integer, integer) OWNER TO filegraph_schedule;
--> statement-breakpoint
REVOKE CREATE ON SCHEMA filegraph FROM filegraph_schedule;
