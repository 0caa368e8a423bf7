import { type SQL, sql } from 'drizzle-orm'
import type { Transaction } from './tenantDatabase.ts'

/** The database's clock at this moment, to the millisecond. Read first and bound then: no UPDATE calls a clock. */
export const databaseClock: SQL<Date> = sql`date_trunc('milliseconds', clock_timestamp())`.mapWith(
  (text) => new Date(String(text)),
)

/** What the database's clock says now. */
export async function readDatabaseClock(tx: Transaction): Promise<Date> {
  const [row] = await tx.db.execute(sql`select ${databaseClock} as now`)
  return new Date(String((row as { now: unknown }).now))
}
