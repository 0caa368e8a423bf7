import { and, type SQL, sql } from 'drizzle-orm'
import { tenantUsage } from '../../database/tables/identityTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { QuotaExceeded } from '../refusals.ts'

type Counter = 'fileCount' | 'trashedCount' | 'versionCount' | 'storedBytes' | 'reservedBytes'

export type Usage = typeof tenantUsage.$inferSelect

export async function readUsage(tx: Transaction): Promise<Usage> {
  const [usage] = await tx.db.select().from(tenantUsage).where(tx.mine(tenantUsage))
  if (!usage) throw new Error(`Tenant ${tx.tenantId} has no usage row`)
  return usage
}

/** Adds to the tenant's counters, in the transaction that changes what they count. */
export async function changeUsage(tx: Transaction, by: Partial<Record<Counter, number>>): Promise<void> {
  await tx.db.update(tenantUsage).set(sums(by)).where(tx.mine(tenantUsage))
}

/** Sets space aside; the same statement holds the quota, so that two callers cannot both take the last of it. */
export async function reserveSpace(tx: Transaction, byteSize: number, quotaBytes: number | null): Promise<void> {
  const room =
    quotaBytes === null
      ? undefined
      : sql`${tenantUsage.storedBytes} + ${tenantUsage.reservedBytes} + ${byteSize}::bigint <= ${quotaBytes}::bigint`
  const reserved = await tx.db
    .update(tenantUsage)
    .set(sums({ reservedBytes: byteSize }))
    .where(and(tx.mine(tenantUsage), room))
    .returning({ reserved: tenantUsage.reservedBytes })
  if (reserved.length === 0) throw new QuotaExceeded()
}

function sums(by: Partial<Record<Counter, number>>): Partial<Record<Counter, SQL>> {
  const entries = Object.entries(by) as [Counter, number][]
  return Object.fromEntries(
    entries.map(([counter, amount]) => [counter, sql`${tenantUsage[counter]} + ${amount}::bigint`]),
  )
}
