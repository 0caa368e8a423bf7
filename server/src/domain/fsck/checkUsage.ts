import { type SQL, sql } from 'drizzle-orm'
import { blobs, files, fileVersions } from '../../database/tables/fileTables.ts'
import { tenantUsage } from '../../database/tables/identityTables.ts'
import type { TenantName } from '../tenants/findTenant.ts'
import { type Finding, type IntegrityContext, violation, readRows } from './finding.ts'

/** The counted values, by column. */
export type Counts = Readonly<
  Record<'fileCount' | 'trashedCount' | 'versionCount' | 'storedBytes' | 'reservedBytes', number>
>

/** Compares the tenant's counters with counted rows, in one statement. Two statements would read two snapshots. */
export async function* checkUsage({ database }: IntegrityContext, tenant: TenantName): AsyncGenerator<Finding> {
  const [row] = await readRows<{ told: Counts; counted: Counts }>(
    database,
    tenant.id,
    sql`select json_build_object(
        'fileCount', t.file_count, 'trashedCount', t.trashed_count, 'versionCount', t.version_count,
        'storedBytes', t.stored_bytes, 'reservedBytes', t.reserved_bytes) as told,
      ${countUsage(tenant.id)} as counted
      from ${tenantUsage} t where t.tenant_id = ${tenant.id}`,
  )
  if (!row) return yield violation('USAGE', tenant, { type: 'tenant', id: tenant.id }, 'The tenant has no usage row.')
  for (const [counter, counted] of Object.entries(row.counted)) {
    const told = row.told[counter as keyof Counts]
    if (told === counted) continue
    yield violation(
      'USAGE',
      tenant,
      { type: 'tenant', id: tenant.id },
      `The usage says ${counter} ${told}, counted are ${counted}.`,
    )
  }
}

/** A SQL expression with the correct counters as JSON. Purged files do not count. */
export const countUsage = (tenantId: string): SQL => sql`(
  select json_build_object('fileCount', kept.live, 'trashedCount', kept.trashed, 'versionCount', held.n,
    'storedBytes', held.bytes, 'reservedBytes', coming.bytes)
  from (
    select count(*) filter (where f.soft_deleted_at is null) as live, count(*) filter (where f.soft_deleted_at is not null) as trashed
    from ${files} f where f.tenant_id = ${tenantId} and f.purged_at is null
  ) as kept, (
    select count(*) as n, coalesce(sum(v.byte_size), 0) as bytes from ${fileVersions} v where v.tenant_id = ${tenantId}
  ) as held, (
    select coalesce(sum(b.byte_size), 0) as bytes
    from ${blobs} b where b.tenant_id = ${tenantId} and b.status in ('pending', 'deleting')
  ) as coming)`
