CREATE TABLE "api_keys" (
	"tenant_id" uuid,
	"id" uuid,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"secret_hash" bytea NOT NULL,
	"created_by" uuid NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"expires_at" timestamp(3) with time zone,
	"last_used_at" timestamp(3) with time zone,
	"revoked_at" timestamp(3) with time zone,
	CONSTRAINT "api_keys_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "api_keys_role" CHECK (role in ('VIEWER', 'MEMBER', 'ADMIN', 'OWNER'))
);
--> statement-breakpoint
CREATE TABLE "audit_log" (
	"tenant_id" uuid,
	"id" uuid,
	"at" timestamp(3) with time zone NOT NULL,
	"actor_id" uuid NOT NULL,
	"action" text NOT NULL,
	"subject_type" text NOT NULL,
	"subject_id" uuid NOT NULL,
	"subject_name" text,
	"payload" jsonb NOT NULL,
	"request_id" text,
	"address" text,
	"user_agent" text,
	CONSTRAINT "audit_log_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "blobs" (
	"tenant_id" uuid,
	"id" uuid,
	"object_key" text NOT NULL,
	"status" text NOT NULL,
	"refcount" integer NOT NULL,
	"byte_size" bigint NOT NULL,
	"content_type" text NOT NULL,
	"etag" text,
	"sha256" text,
	"created_at" timestamp(3) with time zone NOT NULL,
	"deleting_since" timestamp(3) with time zone,
	CONSTRAINT "blobs_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "blobs_object_key" UNIQUE("tenant_id","object_key"),
	CONSTRAINT "blobs_status" CHECK (status in ('pending', 'ready', 'deleting')),
	CONSTRAINT "blobs_refcount" CHECK (refcount >= 0),
	CONSTRAINT "blobs_byte_size" CHECK (byte_size >= 0),
	CONSTRAINT "blobs_key_of_tenant" CHECK (starts_with(object_key, 'org/' || tenant_id::text || '/files/' || id::text)),
	CONSTRAINT "blobs_deleting_since" CHECK ((status = 'deleting') = (deleting_since is not null))
);
--> statement-breakpoint
CREATE TABLE "events" (
	"tenant_id" uuid,
	"id" uuid,
	"type" text NOT NULL,
	"subject_type" text NOT NULL,
	"subject_id" uuid NOT NULL,
	"payload" jsonb NOT NULL,
	"transaction_id" bigint DEFAULT cast(cast(pg_current_xact_id() as text) as bigint) NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"published_at" timestamp(3) with time zone,
	CONSTRAINT "events_pk" PRIMARY KEY("tenant_id","id")
);
--> statement-breakpoint
CREATE TABLE "file_versions" (
	"tenant_id" uuid,
	"file_id" uuid,
	"version" integer,
	"blob_id" uuid NOT NULL,
	"original_file_name" text NOT NULL,
	"content_type" text NOT NULL,
	"byte_size" bigint NOT NULL,
	"created_by" uuid NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "file_versions_pk" PRIMARY KEY("tenant_id","file_id","version"),
	CONSTRAINT "file_versions_version" CHECK (version >= 1)
);
--> statement-breakpoint
CREATE TABLE "files" (
	"tenant_id" uuid,
	"id" uuid,
	"original_file_name" text NOT NULL,
	"content_type" text NOT NULL,
	"byte_size" bigint NOT NULL,
	"current_version" integer NOT NULL,
	"uploaded_by" uuid NOT NULL,
	"uploaded_at" timestamp(3) with time zone NOT NULL,
	"updated_at" timestamp(3) with time zone NOT NULL,
	"soft_deleted_at" timestamp(3) with time zone,
	"soft_deleted_by" uuid,
	CONSTRAINT "files_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "files_byte_size" CHECK (byte_size >= 0),
	CONSTRAINT "files_deleted_by_someone" CHECK ((soft_deleted_at is null) = (soft_deleted_by is null))
);
--> statement-breakpoint
CREATE TABLE "memberships" (
	"tenant_id" uuid,
	"user_id" uuid,
	"role" text NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "memberships_pk" PRIMARY KEY("tenant_id","user_id"),
	CONSTRAINT "memberships_role" CHECK (role in ('VIEWER', 'MEMBER', 'ADMIN', 'OWNER'))
);
--> statement-breakpoint
CREATE TABLE "principals" (
	"tenant_id" uuid,
	"id" uuid,
	"kind" text NOT NULL,
	"subject" text NOT NULL,
	"name" text NOT NULL,
	"email" text,
	"created_at" timestamp(3) with time zone NOT NULL,
	CONSTRAINT "principals_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "principals_subject" UNIQUE("tenant_id","kind","subject"),
	CONSTRAINT "principals_kind" CHECK (kind in ('USER', 'API_KEY', 'EXTERNAL', 'SYSTEM'))
);
--> statement-breakpoint
CREATE TABLE "sessions" (
	"token_hash" bytea PRIMARY KEY,
	"user_id" uuid NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"expires_at" timestamp(3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "sign_in_attempts" (
	"subject" bytea PRIMARY KEY,
	"failures" integer NOT NULL,
	"window_started_at" timestamp(3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "tenant_slugs" (
	"slug" text PRIMARY KEY,
	"tenant" uuid NOT NULL CONSTRAINT "tenant_slugs_tenant" UNIQUE
);
--> statement-breakpoint
CREATE TABLE "tenant_usage" (
	"tenant_id" uuid PRIMARY KEY,
	"file_count" bigint NOT NULL,
	"trashed_count" bigint NOT NULL,
	"version_count" bigint NOT NULL,
	"stored_bytes" bigint NOT NULL,
	"reserved_bytes" bigint NOT NULL,
	CONSTRAINT "tenant_usage_not_negative" CHECK (file_count >= 0 and trashed_count >= 0 and version_count >= 0 and stored_bytes >= 0 and reserved_bytes >= 0)
);
--> statement-breakpoint
CREATE TABLE "tenants" (
	"id" uuid PRIMARY KEY,
	"slug" text NOT NULL,
	"name" text NOT NULL,
	"max_file_bytes" bigint NOT NULL,
	"allowed_content_types" text[],
	"trash_days" integer NOT NULL,
	"intent_lifetime_seconds" integer NOT NULL,
	"download_max_seconds" integer NOT NULL,
	"quota_bytes" bigint,
	"created_at" timestamp(3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "uploads" (
	"tenant_id" uuid,
	"id" uuid,
	"blob_id" uuid NOT NULL,
	"target_file_id" uuid,
	"state" text NOT NULL,
	"declared_name" text NOT NULL,
	"declared_content_type" text NOT NULL,
	"declared_byte_size" bigint NOT NULL,
	"declared_sha256" text,
	"idempotency_key" text,
	"created_by" uuid NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL,
	"expires_at" timestamp(3) with time zone NOT NULL,
	"finished_at" timestamp(3) with time zone,
	"file_id" uuid,
	"version" integer,
	"refusal" text,
	CONSTRAINT "uploads_pk" PRIMARY KEY("tenant_id","id"),
	CONSTRAINT "uploads_idempotency" UNIQUE("tenant_id","created_by","idempotency_key"),
	CONSTRAINT "uploads_state" CHECK (state in ('PENDING', 'COMMITTED', 'CANCELLED', 'EXPIRED')),
	CONSTRAINT "uploads_committed" CHECK ((state = 'COMMITTED') = (file_id is not null and version is not null))
);
--> statement-breakpoint
CREATE TABLE "user_tenants" (
	"user_id" uuid,
	"tenant" uuid,
	CONSTRAINT "user_tenants_pk" PRIMARY KEY("user_id","tenant")
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY,
	"email" text NOT NULL CONSTRAINT "users_email" UNIQUE,
	"name" text NOT NULL,
	"password_hash" text NOT NULL,
	"created_at" timestamp(3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE INDEX "api_keys_created" ON "api_keys" ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "audit_log_newest" ON "audit_log" ("tenant_id","at","id");--> statement-breakpoint
CREATE INDEX "audit_log_by_action" ON "audit_log" ("tenant_id","action","at","id");--> statement-breakpoint
CREATE INDEX "audit_log_by_actor" ON "audit_log" ("tenant_id","actor_id","at","id");--> statement-breakpoint
CREATE INDEX "audit_log_by_subject" ON "audit_log" ("tenant_id","subject_id","at","id");--> statement-breakpoint
CREATE INDEX "blobs_deleting" ON "blobs" ("tenant_id","deleting_since") WHERE status = 'deleting';--> statement-breakpoint
CREATE INDEX "events_unpublished" ON "events" ("tenant_id","id") WHERE published_at is null;--> statement-breakpoint
CREATE INDEX "events_journal" ON "events" ("tenant_id","transaction_id","id");--> statement-breakpoint
CREATE INDEX "events_by_subject" ON "events" ("tenant_id","subject_id","type");--> statement-breakpoint
CREATE INDEX "file_versions_by_blob" ON "file_versions" ("tenant_id","blob_id");--> statement-breakpoint
CREATE INDEX "files_live" ON "files" ("tenant_id","uploaded_at","id") WHERE soft_deleted_at is null;--> statement-breakpoint
CREATE INDEX "files_live_by_uploader" ON "files" ("tenant_id","uploaded_by","uploaded_at","id") WHERE soft_deleted_at is null;--> statement-breakpoint
CREATE INDEX "files_trash" ON "files" ("tenant_id","soft_deleted_at","id") WHERE soft_deleted_at is not null;--> statement-breakpoint
CREATE INDEX "sessions_user" ON "sessions" ("user_id");--> statement-breakpoint
CREATE INDEX "sessions_expiry" ON "sessions" ("expires_at");--> statement-breakpoint
CREATE INDEX "uploads_created" ON "uploads" ("tenant_id","created_at","id");--> statement-breakpoint
CREATE INDEX "uploads_by_creator" ON "uploads" ("tenant_id","created_by","created_at","id");--> statement-breakpoint
CREATE INDEX "uploads_pending" ON "uploads" ("tenant_id","expires_at") WHERE state = 'PENDING';--> statement-breakpoint
CREATE INDEX "uploads_by_blob" ON "uploads" ("tenant_id","blob_id");--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_principal" FOREIGN KEY ("tenant_id","id") REFERENCES "principals"("tenant_id","id");--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_created_by" FOREIGN KEY ("tenant_id","created_by") REFERENCES "principals"("tenant_id","id");--> statement-breakpoint
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_actor" FOREIGN KEY ("tenant_id","actor_id") REFERENCES "principals"("tenant_id","id");--> statement-breakpoint
ALTER TABLE "file_versions" ADD CONSTRAINT "file_versions_file" FOREIGN KEY ("tenant_id","file_id") REFERENCES "files"("tenant_id","id");--> statement-breakpoint
ALTER TABLE "file_versions" ADD CONSTRAINT "file_versions_blob" FOREIGN KEY ("tenant_id","blob_id") REFERENCES "blobs"("tenant_id","id");--> statement-breakpoint
ALTER TABLE "file_versions" ADD CONSTRAINT "file_versions_created_by" FOREIGN KEY ("tenant_id","created_by") REFERENCES "principals"("tenant_id","id");--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_uploaded_by" FOREIGN KEY ("tenant_id","uploaded_by") REFERENCES "principals"("tenant_id","id");--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_soft_deleted_by" FOREIGN KEY ("tenant_id","soft_deleted_by") REFERENCES "principals"("tenant_id","id");--> statement-breakpoint
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_principal" FOREIGN KEY ("tenant_id","user_id") REFERENCES "principals"("tenant_id","id");--> statement-breakpoint
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_created_by" FOREIGN KEY ("tenant_id","created_by") REFERENCES "principals"("tenant_id","id");