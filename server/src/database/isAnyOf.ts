import { type Column, type SQL, sql } from 'drizzle-orm'

/** `column = any(…)` over UUIDs as one parameter: the text, and with it the prepared statement, is the same for any number. */
export const isAnyOf = (column: Column, ids: readonly string[]): SQL => sql`${column} = any(${uuidArray(ids)})`

/** The ids as one parameter of type `uuid[]`. They have to be UUIDs: nothing in them is escaped. */
export const uuidArray = (ids: readonly string[]): SQL => sql`${`{${ids.join(',')}}`}::uuid[]`
