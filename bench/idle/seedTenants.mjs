/**
 * Adds tenants by SQL until there are `count`: each with a pending upload, a file in the trash, a postponed blob, a proved blob and
 * 10 runs, and with nothing that is due today.
 */
export async function seedTenants(sql, count) {
  const [{ had }] = await sql`select count(*)::int as had from tenants`
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await tx`create temporary table seed on commit drop as
      select gen_random_uuid() as id, n from generate_series(${had + 1}::int, ${count}::int) n`
    await tx`insert into tenants (id, slug, name, max_file_bytes, trash_days, intent_lifetime_seconds, download_max_seconds, created_at)
      select id, 'idle-' || n, 'Idle', 1000, 30, 3600, 600, now() from seed`
    await tx`insert into tenant_slugs (slug, tenant) select 'idle-' || n, id from seed`
    await tx`insert into tenant_usage (tenant_id, file_count, trashed_count, version_count, stored_bytes, reserved_bytes)
      select id, 0, 1, 1, 1, 1 from seed`
    await tx`insert into principals (tenant_id, id, kind, subject, name, created_at)
      select id, '00000000-0000-7000-8000-000000000001', 'SYSTEM', 'x', 'Filegraph', now() from seed`
    await tx`insert into uploads (tenant_id, id, blob_id, state, declared_name, declared_content_type, declared_byte_size, created_by,
        created_at, expires_at)
      select id, gen_random_uuid(), gen_random_uuid(), 'PENDING', 'a', 'a/b', 1, id, now(), now() + interval '1 day' from seed`
    await tx`insert into files (tenant_id, id, original_file_name, content_type, byte_size, current_version, uploaded_by, uploaded_at,
        updated_at, soft_deleted_at, soft_deleted_by)
      select id, gen_random_uuid(), 'a', 'a/b', 1, 1, id, now(), now(), now(), id from seed`
    await tx`insert into blobs (tenant_id, id, object_key, status, refcount, byte_size, content_type, created_at, sha256, verified_at,
        deleting_since, purge_not_before)
      select s.id, b.id, 'org/' || s.id || '/files/' || b.id, b.status, case b.status when 'ready' then 1 else 0 end, 1, 'a/b', now(),
        repeat('a', 64), now(), case b.status when 'deleting' then now() end, case b.status when 'deleting' then now() + interval '1 day' end
      from seed s, lateral (select gen_random_uuid() as id, status from unnest('{ready,deleting}'::text[]) status where s.n > 0) b`
    await tx`insert into cleanup_runs (tenant_id, id, kind, state, is_dry_run, exceeds_brake, requested_by, created_at, started_at,
        finished_at, examined, deleted, deleted_bytes, held, found, sample)
      select s.id, gen_random_uuid(), 'RECONCILE', 'DONE', false, false, '00000000-0000-7000-8000-000000000001', now(), now(), now(),
        0, 0, 0, '{}', '{}', '[]' from seed s cross join generate_series(1, 10) where s.n > 0`
    await schedule(tx)
  })
  await sql`vacuum analyze`
}

/** All sweeps with a cadence have looked at the tenants a moment ago. */
async function schedule(tx) {
  await tx`insert into sweep_schedule (tenant_id, kind, due_at, not_before, failures)
    select id, kind, now() + interval '1 day', now(), 0
    from seed cross join unnest('{PURGE_FILES,VERIFY,RECONCILE}'::text[]) as kind`
  await tx`update tenant_slugs set scheduled_at = now() where scheduled_at is null`
}
