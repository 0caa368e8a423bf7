import { type Column, type SQL, sql, type Placeholder } from 'drizzle-orm'

type StateColumn = Column & { readonly _: { readonly data: string } }

/**
 * `column = 'STATE'`, or `column in (…)` for several, with the states in the text of the statement.
 *
 * Plans are generic (`planSettings.ts`), so Postgres makes them without the values of parameters. It uses a partial index
 * `where state = 'PENDING'` only if the statement itself says so: a bound state means a scan of the whole tenant. Only the
 * values of the column's own enum are accepted.
 */
export const isState = <C extends StateColumn>(column: C, ...states: readonly C['_']['data'][]): SQL =>
  states.length === 1 ? sql`${column} = ${literals(column, states)}` : sql`${column} in (${literals(column, states)})`

function literals(column: Column, states: readonly string[]): SQL {
  const known: readonly string[] = column.enumValues ?? []
  const unknown = states.filter((state) => !known.includes(state) || !/^[A-Za-z_]+$/.test(state))
  if (states.length === 0 || unknown.length > 0) throw new Error(`${column.name} has no state ${unknown.join(', ')}`)
  return sql.raw(states.map((state) => `'${state}'`).join(', '))
}

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
