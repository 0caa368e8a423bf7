import { sql } from 'drizzle-orm'
import pMap from 'p-map'
import { orphanObjects } from '../../database/tables/cleanupTables.ts'
import { blobs } from '../../database/tables/fileTables.ts'
import type { ListedObject } from '../sweeps/reconcile/listInOrder.ts'
import type { TenantName } from '../tenants/findTenant.ts'
import { type Finding, information, type IntegrityContext, violation, overdueAfter, readRows } from './finding.ts'

const requestsAtOnce = 16

/** Finds objects without a row: overdue ones, and ones that are watched or new. */
export async function* tellOrphans(
  ctx: IntegrityContext,
  tenant: TenantName,
  objects: readonly ListedObject[],
): AsyncGenerator<Finding> {
  if (objects.length === 0) return
  const watched = await readWatch(ctx, tenant, objects)
  const unknown = objects.filter(({ key }) => watched.has(key))
  const stored = await pMap(unknown, ({ key }) => ctx.blobs.head(key), { concurrency: requestsAtOnce })
  for (const [at, { key, etag }] of unknown.entries()) {
    const watch = watched.get(key)
    if (!stored[at] || !watch) continue
    const isOverdue = watch.isOverdue && watch.etag === etag
    const told = `No row knows the object ${key}`
    if (isOverdue)
      yield violation('ORPHAN', tenant, { type: 'object', id: key }, `${told}, since ${watch.firstSeenAt}.`)
    else
      yield information(
        'ORPHAN',
        tenant,
        { type: 'object', id: key },
        `${told}, ${watch.firstSeenAt ? 'which is watched' : 'yet'}.`,
      )
  }
}

interface Watch {
  readonly key: string
  readonly etag: string | null
  readonly firstSeenAt: string | null
  readonly isOverdue: boolean | null
}

/** When each of the keys without a row was first seen, by the earlier clock. */
async function readWatch(
  { database, now, cleanup }: IntegrityContext,
  tenant: TenantName,
  objects: readonly ListedObject[],
): Promise<Map<string, Watch>> {
  const keys = sql`${sql.param(objects.map(({ key }) => key))}::text[]`
  const lateSeconds = overdueAfter.orphanMs(cleanup) / 1_000
  const rows = await readRows<Watch>(
    database,
    tenant.id,
    sql`select listed.key, o.etag, o.first_seen_at as "firstSeenAt",
        o.first_seen_at < least(${now().toISOString()}::timestamptz, clock_timestamp())
          - ${lateSeconds}::float8 * interval '1 second' as "isOverdue"
      from unnest(${keys}) as listed(key)
      left join ${blobs} b on b.tenant_id = ${tenant.id} and b.object_key = listed.key
      left join ${orphanObjects} o on o.tenant_id = ${tenant.id} and o.object_key = listed.key
      where b.id is null`,
  )
  return new Map(rows.map((row) => [row.key, row]))
}
