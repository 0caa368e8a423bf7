-- Space counts against the quota until its bytes are deleted from the bucket: `reserved_bytes` becomes the sum of all blobs
-- that no version uses, pending ones and released ones. Before, cancelling an intent gave its space back while its address
-- still worked. Locks the usage of one tenant after the other until the end of the migration, and reads its blobs. Each
-- tenant is set in turn, since row-level security binds the owner of the tables too.
--
-- The index of pending uploads by their file is made again, as the last of three small indexes of pending uploads: while
-- Postgres knows of no pending rows they cost the same, and it takes the one that was made last. The other two serve lists
-- whose order sets them apart. Writes to uploads wait while it is made.

DROP INDEX "uploads_by_target";
--> statement-breakpoint
CREATE INDEX "uploads_by_target" ON "uploads" ("tenant_id","target_file_id") WHERE state = 'PENDING';
--> statement-breakpoint
DO $$
DECLARE
  each uuid;
BEGIN
  FOR each IN SELECT s.tenant FROM public.tenant_slugs s ORDER BY s.tenant LOOP
    PERFORM set_config('app.tenant_id', each::text, true);
    PERFORM 1 FROM public.tenant_usage u WHERE u.tenant_id = each FOR UPDATE;
    UPDATE public.tenant_usage u SET reserved_bytes = (
      SELECT coalesce(sum(b.byte_size), 0) FROM public.blobs b
      WHERE b.tenant_id = each AND b.status IN ('pending', 'deleting')
    ) WHERE u.tenant_id = each;
  END LOOP;
  PERFORM set_config('app.tenant_id', '', true);
END
$$;
