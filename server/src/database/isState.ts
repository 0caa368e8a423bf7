import { type Column, type SQL, sql } from 'drizzle-orm'

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
