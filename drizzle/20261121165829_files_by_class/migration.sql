-- The list of one kind of files gets an index of its own, and filters that match little are answered by an index. Writes the
-- table `files` anew and keeps it locked meanwhile.

ALTER TABLE "files" ADD COLUMN "media_class" text GENERATED ALWAYS AS (split_part(content_type, '/', 1)) STORED;--> statement-breakpoint
DROP INDEX "files_live_by_uploader";--> statement-breakpoint
CREATE INDEX "files_live_by_uploader" ON "files" ("tenant_id","uploaded_by","uploaded_at","id",content_type collate "C") WHERE soft_deleted_at is null;--> statement-breakpoint
DROP INDEX "files_trash";--> statement-breakpoint
CREATE INDEX "files_trash" ON "files" ("tenant_id","soft_deleted_at","id","uploaded_by",content_type collate "C") WHERE soft_deleted_at is not null and purged_at is null;--> statement-breakpoint
CREATE INDEX "files_live_by_class" ON "files" ("tenant_id","media_class","uploaded_at","id",content_type collate "C") WHERE soft_deleted_at is null;--> statement-breakpoint
ANALYZE files;
