import { type Column, type Placeholder, type SQL, type SQLWrapper, sql } from 'drizzle-orm'
import { limits } from '../limits.ts'
import { BadInput } from '../refusals.ts'
import { decodeCursor, encodeCursor, type SortKind, type SortValue } from './cursor.ts'

/** The arguments of a Relay connection. */
export interface PageArguments {
  readonly first?: number | null | undefined
  readonly after?: string | null | undefined
  readonly last?: number | null | undefined
  readonly before?: string | null | undefined
}

/** An order without ties: its last column is unique in the list. */
export interface Order {
  /** Part of each cursor, so that a cursor of another list is ignored. */
  readonly list: string
  readonly kinds: readonly SortKind[]
  readonly columns: readonly Column[]
  readonly descending: boolean
}

export interface Page<T> {
  readonly edges: readonly { readonly cursor: string; readonly node: T }[]
  readonly pageInfo: {
    readonly hasNextPage: boolean
    readonly hasPreviousPage: boolean
    readonly startCursor: string | null
    readonly endCursor: string | null
  }
}

/** The clauses of a statement that reads one page. */
export interface PageClauses<Limit = number> {
  /** Undefined if the page starts at an end of the list. */
  readonly where: SQL | undefined
  /** One more than the page size. The extra row shows whether there is another page. */
  readonly limit: Limit
}

/** A page to read: the clauses of the statement, and the conversion of its rows. */
export interface PageRequest extends PageClauses {
  /** Pages with the same shape have the same statement. There are 16 shapes. */
  readonly shape: string
  readonly orderBy: SQL
  /** Whether the rows are read in descending order. The last rows of a list are read in reverse. */
  readonly descending: boolean
  /** The clauses for a prepared statement, with placeholders for `values`. */
  prepared(): PageClauses<Placeholder>
  readonly values: Readonly<Record<string, SortValue>>
  toConnection<T>(rows: readonly T[], valuesOf: (row: T) => readonly (SortValue | Date)[]): Page<T>
}

/** Throws `BadInput` if the page size is out of range, or if both `first` and `last` are given. */
export function pageRequest(order: Order, args: PageArguments): PageRequest {
  const backward = args.last !== null && args.last !== undefined
  const size = pageSize(args)
  const limit = size + 1
  const after = decodeCursor(order.list, order.kinds, args.after)
  const before = decodeCursor(order.list, order.kinds, args.before)
  const where = (write: Write) => within(order, after, before, write)
  const descending = backward ? !order.descending : order.descending
  return {
    get where() {
      return where((_name, value) => value)
    },
    get orderBy() {
      return inOrder(order.columns, descending)
    },
    descending,
    limit,
    shape: [order.descending, backward, after !== null, before !== null].join(' '),
    prepared: () => ({ where: where(sql.placeholder), limit: sql.placeholder('limit') }),
    values: { limit, ...named('after', after), ...named('before', before) },
    toConnection: (rows, valuesOf) => {
      const nodes = backward ? rows.slice(0, size).toReversed() : rows.slice(0, size)
      const cursorOf = (node: (typeof nodes)[number]) => encodeCursor(order.list, valuesOf(node).map(plain))
      const edges = nodes.map((node) => new Edge(node, cursorOf))
      const more = rows.length > size
      return {
        edges,
        pageInfo: {
          hasNextPage: backward ? before !== null : more,
          hasPreviousPage: backward ? more : after !== null,
          get startCursor() {
            return edges[0]?.cursor ?? null
          },
          get endCursor() {
            return edges.at(-1)?.cursor ?? null
          },
        },
      }
    },
  }
}

/** Computes its cursor on demand, because most callers read only that of the last row. */
class Edge<T> {
  readonly node: T
  readonly #cursorOf: (node: T) => string

  constructor(node: T, cursorOf: (node: T) => string) {
    this.node = node
    this.#cursorOf = cursorOf
  }

  get cursor(): string {
    return this.#cursorOf(this.node)
  }
}

/** The number of rows in a page. 0 is an empty page. */
export function pageSize({ first, last }: PageArguments): number {
  if (typeof first === 'number' && typeof last === 'number') {
    throw new BadInput('Give either first or last, not both.')
  }
  const size = first ?? last ?? limits.pageRows
  if (size < 0 || size > limits.maxPageRows) {
    throw new BadInput(`${typeof last === 'number' ? 'last' : 'first'} must be between 0 and ${limits.maxPageRows}.`)
  }
  return size
}

const plain = (value: SortValue | Date): SortValue => (value instanceof Date ? value.toISOString() : value)

/** Writes a value into a statement: the value itself, or a placeholder with that name. */
type Write = (name: string, value: SortValue) => SortValue | Placeholder

type Bound = readonly SortValue[] | null

function within(order: Order, after: Bound, before: Bound, write: Write): SQL | undefined {
  const bounds = [
    after && beyond(order, order.descending ? '<' : '>', named('after', after), write),
    before && beyond(order, order.descending ? '>' : '<', named('before', before), write),
  ].filter((bound) => bound !== null)
  return bounds.length > 0 ? sql.join(bounds, sql` and `) : undefined
}

/** Gives each value its own name. */
const named = (bound: string, values: Bound): Record<string, SortValue> =>
  Object.fromEntries((values ?? []).map((value, at) => [`${bound} ${at}`, value]))

/**
 * A row comparison, which Postgres answers with one index descent. The expanded form with OR scans all rows before the
 * page.
 */
function beyond(order: Order, operator: '<' | '>', values: Record<string, SortValue>, write: Write): SQL {
  const columns = sql.join(
    order.columns.map((column) => sql`${column}`),
    sql`, `,
  )
  const bound = sql.join(
    Object.entries(values).map(
      ([name, value], at) => sql`${write(name, value)}::${sql.raw(typeOf[order.kinds[at] ?? 'uuid'])}`,
    ),
    sql`, `,
  )
  return sql`(${columns}) ${sql.raw(operator)} (${bound})`
}

const typeOf: Record<SortKind, string> = { time: 'timestamptz', uuid: 'uuid', int: 'integer', text: 'text' }

/** Sorts by each column in turn, all in the same direction. */
export const inOrder = (columns: readonly SQLWrapper[], descending: boolean): SQL =>
  sql.join(
    columns.map((column) => sql`${column} ${sql.raw(descending ? 'desc' : 'asc')}`),
    sql`, `,
  )
