CREATE TABLE "attachments" (
	"tenant_id" uuid,
	"id" uuid,
	"file_id" uuid NOT NULL,
	"owner_type" text NOT NULL,
	"owner_id" text NOT NULL,
	"slot" text NOT NULL,
	"created_by" uuid NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "attachments_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "attachments_once" UNIQUE("tenant_id","file_id","owner_type","owner_id","slot"),
	CONSTRAINT "attachments_owner_type" CHECK (owner_type ~ '^[^[:cntrl:]]{1,100}$'),
	CONSTRAINT "attachments_owner_id" CHECK (owner_id ~ '^[^[:cntrl:]]{1,200}$'),
	CONSTRAINT "attachments_slot" CHECK (slot ~ '^[^[:cntrl:]]{1,100}$')
);
--> statement-breakpoint
CREATE TABLE "cleanup_runs" (
	"tenant_id" uuid,
	"id" uuid,
	"kind" text NOT NULL,
	"state" text NOT NULL,
	"is_dry_run" boolean NOT NULL,
	"before" timestamp(3) with time zone,
	"exceeds_brake" boolean NOT NULL,
	"requested_by" uuid NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"started_at" timestamp(3) with time zone,
	"finished_at" timestamp(3) with time zone,
	"examined" bigint NOT NULL,
	"deleted" bigint NOT NULL,
	"deleted_bytes" bigint NOT NULL,
	"held" jsonb NOT NULL,
	"found" jsonb NOT NULL,
	"sample" jsonb NOT NULL,
	"message" text,
	"position" text,
	CONSTRAINT "cleanup_runs_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "cleanup_runs_kind" CHECK (kind in ('EXPIRE_UPLOADS', 'ABORT_UPLOADS', 'PURGE_FILES', 'DELETE_BLOBS', 'RECONCILE', 'VERIFY')),
	CONSTRAINT "cleanup_runs_state" CHECK (state in ('QUEUED', 'RUNNING', 'DONE', 'STOPPED', 'REFUSED', 'FAILED')),
	CONSTRAINT "cleanup_runs_finished" CHECK ((finished_at is null) = (state in ('QUEUED', 'RUNNING')))
);
--> statement-breakpoint
CREATE TABLE "installation" (
	"singleton" bigint PRIMARY KEY,
	"id" uuid NOT NULL,
	"generation" bigint NOT NULL,
	"token" uuid NOT NULL,
	"next_token" uuid,
	"is_marked" boolean NOT NULL,
	CONSTRAINT "installation_singleton" CHECK (singleton = 1)
);
--> statement-breakpoint
CREATE TABLE "orphan_objects" (
	"tenant_id" uuid,
	"object_key" text,
	"byte_size" bigint NOT NULL,
	"etag" text NOT NULL,
	"first_seen_at" timestamp(3) with time zone NOT NULL,
	"seen_by_run" uuid NOT NULL,
	CONSTRAINT "orphan_objects_pk" PRIMARY KEY("tenant_id","object_key"),
	CONSTRAINT "orphan_objects_key_of_tenant" CHECK (starts_with(object_key, 'org/' || tenant_id::text || '/'))
);
--> statement-breakpoint
ALTER TABLE "blobs" ADD COLUMN "purge_claim" uuid;--> statement-breakpoint
ALTER TABLE "blobs" ADD COLUMN "purge_claimed_until" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "blobs" ADD COLUMN "purge_attempts" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "blobs" ADD COLUMN "purge_not_before" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "blobs" ADD COLUMN "quarantined_at" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "blobs" ADD COLUMN "quarantine_reason" text;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "attachment_count" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "retention" text DEFAULT 'KEPT' NOT NULL;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "held_at" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "held_by" uuid;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "hold_reason" text;--> statement-breakpoint
ALTER TABLE "files" ADD COLUMN "purged_at" timestamp(3) with time zone;--> statement-breakpoint
ALTER TABLE "uploads" ADD COLUMN "retention" text DEFAULT 'KEPT' NOT NULL;--> statement-breakpoint
DROP INDEX "files_trash";--> statement-breakpoint
CREATE INDEX "files_trash" ON "files" ("tenant_id","soft_deleted_at","id") WHERE soft_deleted_at is not null and purged_at is null;--> statement-breakpoint
CREATE INDEX "attachments_of_file" ON "attachments" ("tenant_id","file_id","id");--> statement-breakpoint
CREATE INDEX "attachments_of_owner" ON "attachments" ("tenant_id","owner_type","owner_id","id");--> statement-breakpoint
CREATE INDEX "blobs_quarantined" ON "blobs" ("tenant_id","id") WHERE quarantined_at is not null;--> statement-breakpoint
CREATE INDEX "uploads_by_target" ON "uploads" ("tenant_id","target_file_id") WHERE state = 'PENDING';--> statement-breakpoint
CREATE INDEX "cleanup_runs_newest" ON "cleanup_runs" ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "cleanup_runs_by_kind" ON "cleanup_runs" ("tenant_id","kind","created_at","id");--> statement-breakpoint
CREATE INDEX "cleanup_runs_open" ON "cleanup_runs" ("tenant_id","kind") WHERE state in ('QUEUED', 'RUNNING');--> statement-breakpoint
ALTER TABLE "attachments" ADD CONSTRAINT "attachments_file" FOREIGN KEY ("tenant_id","file_id") REFERENCES "files"("tenant_id","id");--> statement-breakpoint
ALTER TABLE "attachments" ADD CONSTRAINT "attachments_created_by" FOREIGN KEY ("tenant_id","created_by") REFERENCES "principals"("tenant_id","id");--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_held_by" FOREIGN KEY ("tenant_id","held_by") REFERENCES "principals"("tenant_id","id");--> statement-breakpoint
ALTER TABLE "cleanup_runs" ADD CONSTRAINT "cleanup_runs_requested_by" FOREIGN KEY ("tenant_id","requested_by") REFERENCES "principals"("tenant_id","id");--> statement-breakpoint
ALTER TABLE "blobs" ADD CONSTRAINT "blobs_ready_while_referenced" CHECK ((status = 'ready') = (refcount > 0));--> statement-breakpoint
ALTER TABLE "blobs" ADD CONSTRAINT "blobs_quarantine" CHECK ((quarantined_at is null) = (quarantine_reason is null));--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_retention" CHECK (retention in ('KEPT', 'WHILE_ATTACHED'));--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_attachment_count" CHECK (attachment_count >= 0);--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_in_use_not_deleted" CHECK (soft_deleted_at is null or attachment_count = 0);--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_held" CHECK ((held_at is null) = (held_by is null) and (held_at is null) = (hold_reason is null));--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_purged_from_trash" CHECK (purged_at is null or (soft_deleted_at is not null and held_at is null));--> statement-breakpoint
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_retention" CHECK (retention in ('KEPT', 'WHILE_ATTACHED'));