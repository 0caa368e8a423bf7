-- Every foreign key says what happens on delete: RESTRICT, or CASCADE for what says nothing once its user is gone (sessions, devices,
-- the look-up of memberships). Each row of a tenant is tied to the row of the tenant, and an intent to its files. Checks each
-- row of the tables once, row by row, since row-level security binds their owner; writes to them wait meanwhile.

ALTER TABLE "cleanup_runs" ADD CONSTRAINT "cleanup_runs_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "attachments" ADD CONSTRAINT "attachments_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "blobs" ADD CONSTRAINT "blobs_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "file_versions" ADD CONSTRAINT "file_versions_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "files" ADD CONSTRAINT "files_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "api_keys" ADD CONSTRAINT "api_keys_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "memberships" ADD CONSTRAINT "memberships_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "principals" ADD CONSTRAINT "principals_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "sessions" ADD CONSTRAINT "sessions_user_id" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "tenant_usage" ADD CONSTRAINT "tenant_usage_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "user_tenants" ADD CONSTRAINT "user_tenants_user" FOREIGN KEY ("user_id") REFERENCES "users"("id") ON DELETE CASCADE;--> statement-breakpoint
ALTER TABLE "audit_log" ADD CONSTRAINT "audit_log_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_tenant" FOREIGN KEY ("tenant_id") REFERENCES "tenants"("id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_target_file" FOREIGN KEY ("tenant_id","target_file_id") REFERENCES "files"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "uploads" ADD CONSTRAINT "uploads_file" FOREIGN KEY ("tenant_id","file_id") REFERENCES "files"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "api_keys" DROP CONSTRAINT "api_keys_principal", ADD CONSTRAINT "api_keys_principal" FOREIGN KEY ("tenant_id","id") REFERENCES "principals"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "api_keys" DROP CONSTRAINT "api_keys_created_by", ADD CONSTRAINT "api_keys_created_by" FOREIGN KEY ("tenant_id","created_by") REFERENCES "principals"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "audit_log" DROP CONSTRAINT "audit_log_actor", ADD CONSTRAINT "audit_log_actor" FOREIGN KEY ("tenant_id","actor_id") REFERENCES "principals"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "file_versions" DROP CONSTRAINT "file_versions_file", ADD CONSTRAINT "file_versions_file" FOREIGN KEY ("tenant_id","file_id") REFERENCES "files"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "file_versions" DROP CONSTRAINT "file_versions_blob", ADD CONSTRAINT "file_versions_blob" FOREIGN KEY ("tenant_id","blob_id") REFERENCES "blobs"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "file_versions" DROP CONSTRAINT "file_versions_created_by", ADD CONSTRAINT "file_versions_created_by" FOREIGN KEY ("tenant_id","created_by") REFERENCES "principals"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "files" DROP CONSTRAINT "files_uploaded_by", ADD CONSTRAINT "files_uploaded_by" FOREIGN KEY ("tenant_id","uploaded_by") REFERENCES "principals"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "files" DROP CONSTRAINT "files_soft_deleted_by", ADD CONSTRAINT "files_soft_deleted_by" FOREIGN KEY ("tenant_id","soft_deleted_by") REFERENCES "principals"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "memberships" DROP CONSTRAINT "memberships_principal", ADD CONSTRAINT "memberships_principal" FOREIGN KEY ("tenant_id","user_id") REFERENCES "principals"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "uploads" DROP CONSTRAINT "uploads_created_by", ADD CONSTRAINT "uploads_created_by" FOREIGN KEY ("tenant_id","created_by") REFERENCES "principals"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "attachments" DROP CONSTRAINT "attachments_file", ADD CONSTRAINT "attachments_file" FOREIGN KEY ("tenant_id","file_id") REFERENCES "files"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "attachments" DROP CONSTRAINT "attachments_created_by", ADD CONSTRAINT "attachments_created_by" FOREIGN KEY ("tenant_id","created_by") REFERENCES "principals"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "files" DROP CONSTRAINT "files_held_by", ADD CONSTRAINT "files_held_by" FOREIGN KEY ("tenant_id","held_by") REFERENCES "principals"("tenant_id","id") ON DELETE RESTRICT;--> statement-breakpoint
ALTER TABLE "cleanup_runs" DROP CONSTRAINT "cleanup_runs_requested_by", ADD CONSTRAINT "cleanup_runs_requested_by" FOREIGN KEY ("tenant_id","requested_by") REFERENCES "principals"("tenant_id","id") ON DELETE RESTRICT;
--> statement-breakpoint
GRANT CREATE ON SCHEMA filegraph TO filegraph_functions;
--> statement-breakpoint
SET LOCAL ROLE filegraph_functions;
--> statement-breakpoint
-- In whose name a host application acts. A tenant that does not exist has no files, so the answer is that of a missing file.
CREATE OR REPLACE FUNCTION filegraph.host_actor(tenant uuid, at timestamptz) RETURNS uuid
  LANGUAGE plpgsql SECURITY DEFINER
  SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  host_user text := nullif(current_setting('app.host_user_id', true), '');
  host_application constant uuid := '00000000-0000-7000-8000-000000000002';
  actor uuid;
BEGIN
  SELECT p.id INTO actor FROM filegraph.principals p
  WHERE p.tenant_id = tenant AND p.kind = 'EXTERNAL' AND p.subject = host_user;
  IF FOUND THEN
    RETURN actor;
  END IF;
  INSERT INTO filegraph.principals (tenant_id, id, kind, subject, name, created_at)
  VALUES (tenant, host_application, 'SYSTEM', host_application::text, 'Host application', at)
  ON CONFLICT DO NOTHING;
  RETURN host_application;
EXCEPTION WHEN foreign_key_violation THEN
  RAISE EXCEPTION 'There is no such file' USING ERRCODE = 'no_data_found';
END
$$;
--> statement-breakpoint
RESET ROLE;
--> statement-breakpoint
REVOKE CREATE ON SCHEMA filegraph FROM filegraph_functions;
