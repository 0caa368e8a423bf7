import { and, eq, sql } from 'drizzle-orm'
import { readDatabaseClock } from '../../database/databaseClock.ts'
import { isAnyOf } from '../../database/isAnyOf.ts'
import { blobs } from '../../database/tables/fileTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'

const heldForMs = 3_600_000

/** What a gate has held is not looked at again for an hour, unless somebody asks for it. */
export async function postpone(tx: Transaction, ids: readonly string[], databaseNow: Date): Promise<void> {
  if (ids.length === 0) return
  await tx.db
    .update(blobs)
    .set({ purgeNotBefore: new Date(databaseNow.getTime() + heldForMs) })
    .where(and(tx.mine(blobs), isAnyOf(blobs.id, ids)))
}

/** After the n-th failure of the store: 30 s times two to the n, at most 6 hours. */
export async function postponeAfterFailure(tx: Transaction, runId: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const now = sql`${(await readDatabaseClock(tx)).toISOString()}::timestamptz`
  const waits = sql`least(30 * power(2, least(${blobs.purgeAttempts}, 20)), 21600) * interval '1 second'`
  await tx.db
    .update(blobs)
    .set({
      purgeClaim: null,
      purgeClaimedUntil: null,
      purgeAttempts: sql`${blobs.purgeAttempts} + 1`,
      purgeNotBefore: sql`${now} + ${waits}`,
    })
    .where(and(tx.mine(blobs), isAnyOf(blobs.id, ids), eq(blobs.purgeClaim, sql`${runId}::uuid`)))
}
