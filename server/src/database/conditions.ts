import { type Column, type SQL, sql, type Placeholder } from 'drizzle-orm'

type StateColumn = Column & { readonly _: { readonly data: string } }

/**
 * `column = 'STATE'`, or `column in (…)` for several, with the states as literals in the statement.
 *
 * Postgres makes generic plans (`planSettings`), without the values of parameters. It uses a partial index `where state
 * = 'PENDING'` only if the statement contains the literal. With a bound state it would scan the whole tenant. Accepts
 * only values of the column's enum.
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
 * `column = any(…)` over UUIDs as one parameter, so that the text and its prepared statement are the same for any
 * number of ids. Fill a placeholder with `textOfUuids`.
 */
export const isAnyOf = (column: Column, ids: readonly string[] | Placeholder): SQL =>
  sql`${column} = any(${uuidArray(ids)})`

/** The ids as one parameter of type `uuid[]`. */
export const uuidArray = (ids: readonly string[] | Placeholder): SQL =>
  sql`${isMany(ids) ? textOfUuids(ids) : ids}::uuid[]`

/** An array literal of Postgres. The ids must be UUIDs, because nothing is escaped. */
export const textOfUuids = (ids: readonly string[]): string => `{${ids.join(',')}}`

const isMany = (ids: readonly string[] | Placeholder): ids is readonly string[] => Array.isArray(ids)
