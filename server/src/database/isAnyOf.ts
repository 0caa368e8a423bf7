import { type Column, type Placeholder, type SQL, sql } from 'drizzle-orm'

/**
 * `column = any(…)` over UUIDs as one parameter: the text, and with it the prepared statement, is the same for any number.
 * A placeholder is filled with `textOfUuids`.
 */
export const isAnyOf = (column: Column, ids: readonly string[] | Placeholder): SQL =>
  sql`${column} = any(${uuidArray(ids)})`

/** The ids as one parameter of type `uuid[]`. */
export const uuidArray = (ids: readonly string[] | Placeholder): SQL =>
  sql`${isMany(ids) ? textOfUuids(ids) : ids}::uuid[]`

/** As Postgres reads an array. They have to be UUIDs: nothing in them is escaped. */
export const textOfUuids = (ids: readonly string[]): string => `{${ids.join(',')}}`

const isMany = (ids: readonly string[] | Placeholder): ids is readonly string[] => Array.isArray(ids)
