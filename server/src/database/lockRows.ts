import { and, type SQL, sql } from 'drizzle-orm'
import type { PgColumn, PgTable } from 'drizzle-orm/pg-core'
import { isAnyOf } from './conditions.ts'
import type { Transaction } from './tenantDatabase.ts'

/**
 * Locks rows in the order of their ids, before a statement changes several of them. An UPDATE alone locks them in the
 * order of its plan, so that two of them could deadlock.
 */
export async function lockRows(
  tx: Transaction,
  table: PgTable & { readonly id: PgColumn; readonly tenantId: PgColumn },
  ids: readonly string[],
): Promise<void> {
  await tx.db
    .select({ id: table.id })
    .from(table)
    .where(and(tx.inTenant(table), isAnyOf(table.id, ids)))
    .orderBy(table.id)
    .for('update')
}

/** The database's clock, to the millisecond. Its value is read first and then bound: no UPDATE calls a clock. */
export const databaseClock: SQL<Date> = sql`date_trunc('milliseconds', clock_timestamp())`.mapWith(
  (text) => new Date(String(text)),
)

/** Reads the database's clock. */
export async function readDatabaseClock(tx: Transaction): Promise<Date> {
  const [row] = await tx.db.execute(sql`select ${databaseClock} as now`)
  return new Date(String((row as { now: unknown }).now))
}
