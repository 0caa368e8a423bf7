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

/**
 * Gives back space that was reserved, once its bytes are deleted. Not below 0: during an update, a process of the version
 * before may have given it back earlier. `fsck` compares the counter with the blobs.
 */
export async function freeSpace(tx: Transaction, byteSize: number): Promise<void> {
  if (byteSize === 0) return
  await tx.db
    .update(tenantUsage)
    .set({ reservedBytes: sql`greatest(${tenantUsage.reservedBytes} - ${byteSize}::bigint, 0)` })
    .where(tx.mine(tenantUsage))
}

/**
 * Reserves space. The same statement enforces the quota, so that two callers cannot both take the last of it. Refuses
 * with `QuotaExceeded`.
 */
export async function reserveSpace(tx: Transaction, byteSize: number, quotaBytes: number | null): Promise<void> {
  if (await addReservation(tx, byteSize, quotaBytes)) return
  const availableBytes = await lockAvailableBytes(tx, quotaBytes ?? Number.MAX_SAFE_INTEGER)
  // Another transaction may have released space since. The lock makes the second answer final.
  if (availableBytes >= byteSize && (await addReservation(tx, byteSize, quotaBytes))) return
  throw new QuotaExceeded(byteSize, availableBytes)
}

async function addReservation(tx: Transaction, byteSize: number, quotaBytes: number | null): Promise<boolean> {
  const room =
    quotaBytes === null
      ? undefined
      : sql`${tenantUsage.storedBytes} + ${tenantUsage.reservedBytes} + ${byteSize}::bigint <= ${quotaBytes}::bigint`
  const reserved = await tx.db
    .update(tenantUsage)
    .set(sums({ reservedBytes: byteSize }))
    .where(and(tx.mine(tenantUsage), room))
    .returning({ reserved: tenantUsage.reservedBytes })
  return reserved.length > 0
}

/** What is left of the quota, at least 0: a quota may have been lowered below what is stored. */
async function lockAvailableBytes(tx: Transaction, quotaBytes: number): Promise<number> {
  const [usage] = await tx.db.select().from(tenantUsage).where(tx.mine(tenantUsage)).for('update')
  if (!usage) throw new Error(`Tenant ${tx.tenantId} has no usage row`)
  return Math.max(0, quotaBytes - usage.storedBytes - usage.reservedBytes)
}

function sums(by: Partial<Record<Counter, number>>): Partial<Record<Counter, SQL>> {
  const entries = Object.entries(by) as [Counter, number][]
  return Object.fromEntries(
    entries.map(([counter, amount]) => [counter, sql`${tenantUsage[counter]} + ${amount}::bigint`]),
  )
}
