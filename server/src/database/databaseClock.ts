import { type SQL, sql } from 'drizzle-orm'

/** The database's clock at this moment, to the millisecond. Read first and bound then: no UPDATE calls a clock. */
export const databaseClock: SQL<Date> = sql`date_trunc('milliseconds', clock_timestamp())`.mapWith(
  (text) => new Date(String(text)),
)
