import { etag } from './objects.mjs'

/** Rows of `count` blobs by one statement: ready ones, or released ones with the event that says so. */
export async function seedRows(sql, tenantId, count, status) {
  const isReady = status === 'ready'
  await sql`insert into blobs
      (tenant_id, id, object_key, status, refcount, byte_size, content_type, etag, created_at, deleting_since)
    select ${tenantId}::uuid, id, 'org/' || ${tenantId} || '/files/' || id || '.txt', ${status}, ${isReady ? 1 : 0}, 5,
      'text/plain', ${etag}, now() - interval '2 days', ${isReady ? null : new Date(Date.now() - 86_400_000)}
    from generate_series(1, ${count}::int) as n,
      lateral (select ('01900000-0000-7000-8000-' || lpad(to_hex(n), 12, '0'))::uuid as id) as named`
  if (!isReady) {
    await sql`insert into events (tenant_id, id, seq, type, subject_type, subject_id, payload, created_at)
      select tenant_id, gen_random_uuid(), -(random() * 1e15)::bigint, 'blob.released', 'BLOB', id, '{}', deleting_since from blobs
      where tenant_id = ${tenantId}::uuid`
  }
  await sql`vacuum analyze blobs`
  await sql`vacuum analyze events`
}
