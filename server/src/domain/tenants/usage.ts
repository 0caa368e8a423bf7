import { and, sql } from 'drizzle-orm'
import { tenantUsage } from '../../database/tables/identityTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { QuotaExceeded } from '../refusals.ts'

/**
 * Reserves space. The same statement enforces the quota, so that two callers cannot both take the last space. Throws
 * `QuotaExceeded`.
 */
export async function reserveSpace(tx: Transaction, byteSize: number, quotaBytes: number | null): Promise<void> {
  if (await addReservation(tx, byteSize, quotaBytes)) return
  const availableBytes = await lockAvailableBytes(tx, quotaBytes ?? Number.MAX_SAFE_INTEGER)
  // Another transaction may have released space in the meantime. The lock makes the second answer final.
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
    .set({ reservedBytes: sql`${tenantUsage.reservedBytes} + ${byteSize}::bigint` })
    .where(and(tx.inTenant(tenantUsage), room))
    .returning({ reserved: tenantUsage.reservedBytes })
  return reserved.length > 0
}

/** The unused part of the quota. At least 0, because a quota can be lowered below the stored bytes. */
async function lockAvailableBytes(tx: Transaction, quotaBytes: number): Promise<number> {
  const [usage] = await tx.db.select().from(tenantUsage).where(tx.inTenant(tenantUsage)).for('update')
  if (!usage) throw new Error(`Tenant ${tx.tenantId} has no usage row`)
  return Math.max(0, quotaBytes - usage.storedBytes - usage.reservedBytes)
}
