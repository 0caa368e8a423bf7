-- Verification reads the least recently verified blobs first, and before all others those without a SHA-256 and those in
-- quarantine. Each kind has an index that a run walks. The column has a constant default, so that no row is rewritten. The
-- indexes lock the table against writes while they are built: about a second for a million blobs.

ALTER TABLE "blobs" ADD COLUMN "verified_at" timestamp(3) with time zone DEFAULT '1970-01-01 00:00:00+00' NOT NULL;--> statement-breakpoint
CREATE INDEX "blobs_doubtful" ON "blobs" ("tenant_id","verified_at","id") WHERE status = 'ready' and (sha256 is null or quarantined_at is not null);--> statement-breakpoint
CREATE INDEX "blobs_proved" ON "blobs" ("tenant_id","verified_at","id") WHERE status = 'ready' and sha256 is not null and quarantined_at is null;
--> statement-breakpoint
-- Verification adds the SHA-256 of bytes that were committed without one. A hash that was proved still never changes.
DROP TRIGGER blobs_identity_fixed ON blobs;
--> statement-breakpoint
CREATE TRIGGER blobs_identity_fixed BEFORE UPDATE ON blobs
  FOR EACH ROW
  WHEN (
    OLD.object_key IS DISTINCT FROM NEW.object_key
    OR (OLD.status <> 'pending' AND (OLD.byte_size, OLD.etag) IS DISTINCT FROM (NEW.byte_size, NEW.etag))
    OR (OLD.status <> 'pending' AND OLD.sha256 IS NOT NULL AND OLD.sha256 IS DISTINCT FROM NEW.sha256)
    OR (OLD.status = 'deleting' AND NEW.status <> 'deleting')
    OR (OLD.status <> 'pending' AND NEW.status = 'pending')
  )
  EXECUTE FUNCTION refuse_change();
