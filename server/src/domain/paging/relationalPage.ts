import { type Column, type SQL, sql } from 'drizzle-orm'
import { isState } from '../../database/conditions.ts'
import { type Order, type Page, type PageArguments, pageRequest } from './page.ts'
import type { SortValue } from './cursor.ts'

/** An order of a relational query, which aliases its table. Columns are given by their keys. */
export interface RelationalOrder extends Omit<Order, 'columns'> {
  readonly columns: readonly string[]
}

type ColumnsOf = Readonly<Record<string, Column>>
type RelationalRow = Readonly<Record<string, unknown>>

/** A condition of a relational query. Undefined matches all rows. */
export type Condition = object | undefined

/** Matches no row. */
export const nothing: Condition = { RAW: () => sql`false` }

/** Combines the defined conditions. Drizzle refuses undefined inside a condition. */
export function allOf(...conditions: readonly Condition[]): Condition {
  const present = conditions.filter((condition) => condition !== undefined)
  return present.length > 1 ? { AND: present } : present[0]
}

/** Requires each column with a given value to have that value. */
export const given = (values: Readonly<Record<string, unknown>>): Condition =>
  allOf(
    ...Object.entries(values).map(([column, value]) =>
      value === null || value === undefined ? undefined : { [column]: value },
    ),
  )

/** Requires the column `state` to have this value, as a literal in the statement: see `isState`. */
export const givenState = (state: string | null | undefined): Condition =>
  typeof state === 'string'
    ? { RAW: ({ state: column }: { readonly state: Parameters<typeof isState>[0] }) => isState(column, state) }
    : undefined

/** A page that a relational query reads. `columns` selects the columns of the order, which the rows must contain. */
interface RelationalPageRequest {
  readonly clauses: {
    readonly columns: Readonly<Record<string, true>>
    /** Undefined if the page starts at an end of the list. */
    readonly where: { readonly RAW: (table: ColumnsOf) => SQL | undefined } | undefined
    readonly orderBy: (table: ColumnsOf) => SQL
    readonly limit: number
  }
  toPage<T extends RelationalRow>(rows: readonly T[]): Page<T>
}

/** Throws as `pageRequest` does. */
export function relationalPage(
  { columns: keys, ...order }: RelationalOrder,
  args: PageArguments,
): RelationalPageRequest {
  const columnsOf = (table: ColumnsOf) =>
    keys.map((key) => table[key] ?? impossible(`The list ${order.list} is sorted by ${key}, which is no column`))
  const requestOf = (table: ColumnsOf) => pageRequest({ ...order, columns: columnsOf(table) }, args)
  const { where, limit, toConnection } = pageRequest({ ...order, columns: [] }, args)
  return {
    clauses: {
      columns: Object.fromEntries(keys.map((key) => [key, true])),
      where: where && { RAW: (table) => requestOf(table).where },
      orderBy: (table) => requestOf(table).orderBy,
      limit,
    },
    toPage: (rows) => toConnection(rows, (row) => keys.map((key) => row[key] as SortValue | Date)),
  }
}

const impossible = (what: string): never => {
  throw new Error(what)
}
