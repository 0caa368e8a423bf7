-- The second lock of the tenant boundary (every statement names its tenant first), the grants of the application's role,
-- and the triggers that keep history as it was written. Takes short ACCESS EXCLUSIVE locks on tables that are empty when
-- it runs for the first time. The role itself is made before any migration, since roles belong to the whole cluster.

CREATE FUNCTION set_tenant(tenant uuid) RETURNS void
  LANGUAGE plpgsql
  SET search_path = pg_catalog
AS $$
BEGIN
  -- SET LOCAL instead of set_config(): a Citus coordinator carries it to its workers.
  EXECUTE format('SET LOCAL app.tenant_id = %L', tenant);
END
$$;
--> statement-breakpoint
DO $$
DECLARE
  tenant_table text;
BEGIN
  FOREACH tenant_table IN ARRAY ARRAY[
    'tenant_usage', 'principals', 'memberships', 'api_keys', 'blobs', 'uploads', 'files', 'file_versions', 'events', 'audit_log'
  ] LOOP
    EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', tenant_table);
    EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', tenant_table);
    -- nullif: a pooled connection knows the setting as '' after its first transaction, which is not a uuid.
    EXECUTE format(
      'CREATE POLICY tenant_boundary ON %I USING (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid) WITH CHECK (tenant_id = nullif(current_setting(''app.tenant_id'', true), '''')::uuid)',
      tenant_table
    );
  END LOOP;
END
$$;
--> statement-breakpoint
ALTER TABLE tenants ENABLE ROW LEVEL SECURITY;
--> statement-breakpoint
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
CREATE POLICY tenant_boundary ON tenants
  USING (id = nullif(current_setting('app.tenant_id', true), '')::uuid)
  WITH CHECK (id = nullif(current_setting('app.tenant_id', true), '')::uuid);
--> statement-breakpoint
REVOKE ALL ON SCHEMA public FROM PUBLIC;
--> statement-breakpoint
GRANT USAGE ON SCHEMA public TO filegraph_app;
--> statement-breakpoint
REVOKE ALL ON FUNCTION set_tenant(uuid) FROM PUBLIC;
--> statement-breakpoint
GRANT EXECUTE ON FUNCTION set_tenant(uuid) TO filegraph_app;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE ON tenants, tenant_usage, users, principals, api_keys, uploads, files TO filegraph_app;
--> statement-breakpoint
GRANT SELECT, INSERT ON tenant_slugs, audit_log TO filegraph_app;
--> statement-breakpoint
GRANT SELECT, INSERT, DELETE ON file_versions, user_tenants TO filegraph_app;
--> statement-breakpoint
GRANT SELECT, INSERT, UPDATE, DELETE ON memberships, sessions, sign_in_attempts, blobs TO filegraph_app;
--> statement-breakpoint
GRANT SELECT, INSERT ON events TO filegraph_app;
--> statement-breakpoint
GRANT UPDATE (published_at) ON events TO filegraph_app;
--> statement-breakpoint
CREATE FUNCTION refuse_change() RETURNS trigger
  LANGUAGE plpgsql
  SET search_path = pg_catalog
AS $$
BEGIN
  RAISE EXCEPTION '% refuses %: its rows are written once', TG_TABLE_NAME, TG_OP USING ERRCODE = 'restrict_violation';
END
$$;
--> statement-breakpoint
CREATE TRIGGER audit_log_written_once BEFORE UPDATE OR DELETE ON audit_log
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER audit_log_not_truncated BEFORE TRUNCATE ON audit_log
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER file_versions_immutable BEFORE UPDATE ON file_versions
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER file_versions_not_truncated BEFORE TRUNCATE ON file_versions
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER events_written_once BEFORE UPDATE ON events
  FOR EACH ROW
  WHEN (
    (OLD.tenant_id, OLD.id, OLD.type, OLD.subject_type, OLD.subject_id, OLD.payload, OLD.transaction_id, OLD.created_at)
    IS DISTINCT FROM
    (NEW.tenant_id, NEW.id, NEW.type, NEW.subject_type, NEW.subject_id, NEW.payload, NEW.transaction_id, NEW.created_at)
  )
  EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER events_kept BEFORE DELETE ON events
  FOR EACH ROW EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
CREATE TRIGGER events_not_truncated BEFORE TRUNCATE ON events
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
-- The bytes behind a blob never change, so neither does what identifies them.
CREATE TRIGGER blobs_identity_fixed BEFORE UPDATE ON blobs
  FOR EACH ROW
  WHEN (
    OLD.object_key IS DISTINCT FROM NEW.object_key
    OR (OLD.status <> 'pending' AND (OLD.byte_size, OLD.etag, OLD.sha256) IS DISTINCT FROM (NEW.byte_size, NEW.etag, NEW.sha256))
    OR (OLD.status = 'deleting' AND NEW.status <> 'deleting')
    OR (OLD.status <> 'pending' AND NEW.status = 'pending')
  )
  EXECUTE FUNCTION refuse_change();
