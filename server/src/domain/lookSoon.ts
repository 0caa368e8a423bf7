import { and, eq, sql } from 'drizzle-orm'
import { readDatabaseClock } from '../database/lockRows.ts'
import { sweepSchedule } from '../database/tables/cleanupTables.ts'
import type { Transaction } from '../database/tenantDatabase.ts'
import { earliest } from './clocks.ts'

/**
 * Makes the purge look at the tenant within a minute. A shorter time in the trash and the end of a hold call it, because a file
 * can then be due before the time that the last look noted. Locks the row, also if a look is due already: one that is under way
 * must not note a time by the old policy after this transaction.
 */
export async function lookForCooledFiles(tx: Transaction, now: Date): Promise<void> {
  const at = earliest(now, await readDatabaseClock(tx)).toISOString()
  await tx.db
    .update(sweepSchedule)
    .set({ dueAt: sql`least(${sweepSchedule.dueAt}, ${at}::timestamptz)` })
    .where(and(tx.inTenant(sweepSchedule), eq(sweepSchedule.kind, 'PURGE_FILES')))
}
