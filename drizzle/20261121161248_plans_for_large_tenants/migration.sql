-- Plans are made without knowing the tenant, for one of average size. Where most tenants are small that is a tenant of one
-- or two rows, and reading all of its principals for each file of a page looks as cheap as looking one up. Told that a
-- tenant holds a tenth of each table, Postgres plans for the large ones; small ones lose nothing by it. Takes a lock
-- that lets everybody read and write, and reads a sample of each table.

ALTER TABLE api_keys ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ALTER TABLE attachments ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ALTER TABLE audit_log ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ALTER TABLE blobs ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ALTER TABLE cleanup_runs ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ALTER TABLE events ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ALTER TABLE files ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ALTER TABLE file_versions ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ALTER TABLE memberships ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ALTER TABLE orphan_objects ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ALTER TABLE principals ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ALTER TABLE tenant_usage ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ALTER TABLE uploads ALTER COLUMN tenant_id SET (n_distinct = 10);
--> statement-breakpoint
ANALYZE api_keys, attachments, audit_log, blobs, cleanup_runs, events, files, file_versions, memberships, orphan_objects, principals, tenant_usage, uploads;
