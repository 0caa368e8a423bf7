import { type SQL, sql } from 'drizzle-orm'
import { attachments, blobs, files, fileVersions } from '../../database/tables/fileTables.ts'
import { tenantUsage } from '../../database/tables/identityTables.ts'
import { writeUnattended } from '../change.ts'
import type { TenantName } from '../tenants/findTenant.ts'
import { checkIntegrity, type IntegrityOptions } from './checkIntegrity.ts'
import { type Counts, countUsage } from './checkUsage.ts'
import type { Finding, IntegrityContext, Invariant } from './finding.ts'

/**
 * Sets counters to the counted values and yields each repaired violation. Changes no bytes, no status and no history.
 */
export async function* mendCounters(ctx: IntegrityContext, options: IntegrityOptions): AsyncGenerator<Finding> {
  for await (const finding of checkIntegrity(ctx, options)) {
    const { invariant, tenant, subject } = finding
    const mend = mendable[invariant]
    if (mend && tenant && (await mend(ctx, tenant, subject.id))) yield finding
  }
}

/** Locks the row, then counts. Every change of the counted rows takes the same lock. */
type Mend = (ctx: IntegrityContext, tenant: TenantName, id: string) => Promise<boolean>

const mendAttachmentCount: Mend = (ctx, tenant, id) =>
  inSteps(
    ctx,
    tenant,
    sql`select f.id from ${files} f where f.tenant_id = ${tenant.id} and f.id = ${id}::uuid for update`,
    sql`update ${files} as f set attachment_count = counted.n
      from (select count(*)::int as n from ${attachments} a where a.tenant_id = ${tenant.id} and a.file_id = ${id}::uuid) as counted
      where f.tenant_id = ${tenant.id} and f.id = ${id}::uuid and (f.soft_deleted_at is null or counted.n = 0)
      returning f.id`,
  )

/** If there is nothing to count or the blob is not ready, the row itself is damaged and not only its counter. */
const mendRefcount: Mend = (ctx, tenant, id) =>
  inSteps(
    ctx,
    tenant,
    sql`select b.id from ${blobs} b where b.tenant_id = ${tenant.id} and b.id = ${id}::uuid for update`,
    sql`update ${blobs} as b set refcount = counted.n
      from (select count(*)::int as n from ${fileVersions} v where v.tenant_id = ${tenant.id} and v.blob_id = ${id}::uuid) as counted
      where b.tenant_id = ${tenant.id} and b.id = ${id}::uuid and b.status = 'ready' and counted.n > 0 and b.refcount <> counted.n
      returning b.id`,
  )

const mendUsage: Mend = (ctx, tenant) =>
  writeUnattended(ctx.database, tenant.id, async (tx) => {
    const usage = tx.inTenant(tenantUsage)
    const locked = await tx.db.select().from(tenantUsage).where(usage).for('update')
    const [row] = (await tx.db.execute(sql`select ${countUsage(tenant.id)} as counted`)) as unknown as {
      counted: Counts
    }[]
    if (locked.length === 0 || !row) return false
    await tx.db.update(tenantUsage).set(row.counted).where(usage)
    return true
  })

const mendable: Partial<Record<Invariant, Mend>> = {
  ATTACHMENT_COUNT: mendAttachmentCount,
  REFCOUNT: mendRefcount,
  USAGE: mendUsage,
}

const inSteps = ({ database }: IntegrityContext, { id }: TenantName, lock: SQL, update: SQL): Promise<boolean> =>
  writeUnattended(database, id, async (tx) => {
    await tx.db.execute(lock)
    const changed = (await tx.db.execute(update)) as unknown as unknown[]
    return changed.length > 0
  })
