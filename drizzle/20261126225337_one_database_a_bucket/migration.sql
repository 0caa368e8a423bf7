-- Two databases on one bucket: what a database knows about the server that it runs on, whether deletes are refused and why,
-- and the log of decisions about the bucket. Locks installation (one row) and cleanup_runs exclusively for a moment: the new columns are null or have a constant default, so no row is rewritten.

CREATE TABLE "installation_log" (
	"id" uuid PRIMARY KEY,
	"at" timestamp(3) with time zone NOT NULL,
	"action" text NOT NULL,
	"actor" text NOT NULL,
	"payload" jsonb NOT NULL,
	CONSTRAINT "installation_log_action" CHECK (action in ('VETO_LEFT', 'BUCKET_ACCEPTED', 'DATABASE_RETIRED'))
);
--> statement-breakpoint
ALTER TABLE "cleanup_runs" ADD COLUMN "includes_foreign" boolean DEFAULT false NOT NULL;--> statement-breakpoint
ALTER TABLE "installation" ADD COLUMN "system_identifier" text;--> statement-breakpoint
ALTER TABLE "installation" ADD COLUMN "database_oid" bigint;--> statement-breakpoint
ALTER TABLE "installation" ADD COLUMN "server_started_at" text;--> statement-breakpoint
ALTER TABLE "installation" ADD COLUMN "settling_since" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "installation" ADD COLUMN "refusal" text;--> statement-breakpoint
ALTER TABLE "installation" ADD COLUMN "refused_since" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "installation" ADD COLUMN "retired_at" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "installation" ADD CONSTRAINT "installation_refused" CHECK ((refusal is null) = (refused_since is null));--> statement-breakpoint
GRANT SELECT, INSERT ON installation_log TO filegraph_app;
