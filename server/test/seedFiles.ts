import type postgres from 'postgres'
import type { TestTenant } from './testService.ts'

/**
 * Rows as uploads leave them, made by the hundred thousand: one a 7 ms from 2026-01-01 on, every tenth an image, ids that
 * count. Analyse the tables behind it.
 */
export async function seedFiles(superuser: postgres.Sql, of: TestTenant, count: number): Promise<void> {
  await superuser`insert into blobs (tenant_id, id, object_key, status, refcount, byte_size, content_type, created_at)
    select ${of.id}, i::text::uuid, 'org/' || ${of.id}::text || '/files/' || i::text || '.bin', 'ready', 1, 1, 'a/b', now()
    from (select ('00000000-0000-4000-8000-' || lpad(n::text, 12, '0')) as i from generate_series(1, ${count}) n) as ids`
  await superuser`insert into files (tenant_id, id, original_file_name, content_type, byte_size, current_version, uploaded_by, uploaded_at, updated_at)
    select tenant_id, id, 'file ' || id::text, case when random() < 0.1 then 'image/png' else 'a/b' end, 1, 1, ${of.member.id},
      '2026-01-01'::timestamptz + (row_number() over (order by id)) * interval '7 milliseconds', now()
    from blobs where tenant_id = ${of.id} and object_key like '%.bin'`
  await superuser`insert into file_versions
    select tenant_id, id, 1, id, original_file_name, content_type, 1, uploaded_by, uploaded_at from files where tenant_id = ${of.id}`
}
