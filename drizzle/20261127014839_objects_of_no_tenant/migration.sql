-- Objects under the prefix of a tenant that this database does not have: which prefixes there are, and what each search for
-- them did. They belong to no tenant, so the tables have no tenant_id; the objects themselves are watched in orphan_objects,
-- under the id in their prefix. Locks installation_log exclusively for a moment, to read its few rows for the wider check.

CREATE TABLE "stray_prefixes" (
	"prefix" text PRIMARY KEY,
	"kind" text NOT NULL,
	"tenant" uuid,
	"example_key" text NOT NULL,
	"object_count" bigint,
	"byte_size" bigint,
	"first_seen_at" timestamp(3) with time zone NOT NULL,
	"last_seen_at" timestamp(3) with time zone NOT NULL,
	"seen_by_run" uuid NOT NULL,
	CONSTRAINT "stray_prefixes_kind" CHECK (kind in ('TENANT', 'OTHER')),
	CONSTRAINT "stray_prefixes_tenant" CHECK ((kind = 'TENANT') = (tenant is not null))
);
--> statement-breakpoint
CREATE TABLE "stray_runs" (
	"id" uuid PRIMARY KEY,
	"state" text NOT NULL,
	"is_dry_run" boolean NOT NULL,
	"includes_foreign" boolean NOT NULL,
	"actor" text NOT NULL,
	"started_at" timestamp(3) with time zone NOT NULL,
	"finished_at" timestamp(3) with time zone,
	"examined" bigint NOT NULL,
	"deleted" bigint NOT NULL,
	"deleted_bytes" bigint NOT NULL,
	"held" jsonb NOT NULL,
	"found" jsonb NOT NULL,
	"sample" jsonb NOT NULL,
	"message" text,
	"position" text,
	CONSTRAINT "stray_runs_state" CHECK (state in ('QUEUED', 'RUNNING', 'DONE', 'STOPPED', 'REFUSED', 'FAILED'))
);
--> statement-breakpoint
CREATE INDEX "stray_runs_newest" ON "stray_runs" ("started_at","id");--> statement-breakpoint
ALTER TABLE "installation_log" DROP CONSTRAINT "installation_log_action", ADD CONSTRAINT "installation_log_action" CHECK (action in ('VETO_LEFT', 'BUCKET_ACCEPTED', 'DATABASE_RETIRED', 'STRAYS_DELETED'));--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON stray_prefixes, stray_runs TO filegraph_app;
