import { and, eq, gt } from 'drizzle-orm'
import { sweepSchedule } from '../database/tables/cleanupTables.ts'
import type { Transaction } from '../database/tenantDatabase.ts'

/**
 * Makes the purge look at the tenant within a minute. A shorter time in the trash and the end of a hold call it, because a file
 * can then be due before the time that the last look noted.
 */
export async function lookForCooledFiles(tx: Transaction, now: Date): Promise<void> {
  await tx.db
    .update(sweepSchedule)
    .set({ dueAt: now })
    .where(and(tx.inTenant(sweepSchedule), eq(sweepSchedule.kind, 'PURGE_FILES'), gt(sweepSchedule.dueAt, now)))
}
