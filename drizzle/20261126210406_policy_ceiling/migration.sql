-- What the operator sets in a tenant's policy is also the most that an OWNER may choose. Values of existing tenants that
-- differ from the defaults were set by the operator. Adding the column rewrites nothing; the update takes row locks on
-- `tenants`, one row a tenant. Its owner is bound by row-level security like everybody else, so FORCE is lifted meanwhile,
-- under the exclusive lock of this transaction.
ALTER TABLE "tenants" ADD COLUMN "policy_ceiling" jsonb DEFAULT '{}' NOT NULL;
--> statement-breakpoint
ALTER TABLE tenants NO FORCE ROW LEVEL SECURITY;
--> statement-breakpoint
UPDATE tenants SET policy_ceiling = jsonb_strip_nulls(jsonb_build_object(
  'maxFileBytes', CASE WHEN max_file_bytes <> 5368709120 THEN max_file_bytes END,
  'allowedContentTypes', to_jsonb(allowed_content_types),
  'trashDays', CASE WHEN trash_days <> 30 THEN trash_days END,
  'intentLifetimeSeconds', CASE WHEN intent_lifetime_seconds <> 86400 THEN intent_lifetime_seconds END,
  'downloadMaxSeconds', CASE WHEN download_max_seconds <> 86400 THEN download_max_seconds END
));
--> statement-breakpoint
ALTER TABLE tenants FORCE ROW LEVEL SECURITY;
