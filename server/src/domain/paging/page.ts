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

/** An order that leaves no ties: its last column is unique among the rows of the list. */
export interface Order {
  /** Told apart in cursors, so that a cursor of one list means nothing in another. */
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

/** What a statement says of the page that it reads. */
export interface PageClauses<Limit = number> {
  /** Nothing when the page starts at an end of the list. */
  readonly where: SQL | undefined
  /** One more than the page holds: the extra row shows whether there is another page. */
  readonly limit: Limit
}

/** A page to be read: what to ask the database for, and how to turn the rows into the page. */
export interface PageRequest extends PageClauses {
  /** Two pages of a list with the same shape are read by the same text. There are 16. */
  readonly shape: string
  readonly orderBy: SQL
  /** Whether the rows are read in falling order: that of the list, or the other way round for its last rows. */
  readonly descending: boolean
  /** The clauses for a prepared statement, with placeholders that `values` fills. */
  prepared(): PageClauses<Placeholder>
  readonly values: Readonly<Record<string, SortValue>>
  toConnection<T>(rows: readonly T[], valuesOf: (row: T) => readonly (SortValue | Date)[]): Page<T>
}

/** Refuses with `BadInput`: a page size out of bounds, or `first` together with `last`. */
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

/** Its cursor is written when it is asked for: most callers want that of the last row alone. */
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

/** How many rows a page holds. 0 makes an empty page. */
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

/** Writes a value into a statement: itself, or a placeholder of that name. */
type Write = (name: string, value: SortValue) => SortValue | Placeholder

type Bound = readonly SortValue[] | null

function within(order: Order, after: Bound, before: Bound, write: Write): SQL | undefined {
  const bounds = [
    after && beyond(order, order.descending ? '<' : '>', named('after', after), write),
    before && beyond(order, order.descending ? '>' : '<', named('before', before), write),
  ].filter((bound) => bound !== null)
  return bounds.length > 0 ? sql.join(bounds, sql` and `) : undefined
}

/** Each of the values under a name of its own. */
const named = (bound: string, values: Bound): Record<string, SortValue> =>
  Object.fromEntries((values ?? []).map((value, at) => [`${bound} ${at}`, value]))

/** A row comparison, which Postgres answers by one descent of the index; the spelled-out form scans all rows before. */
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

/** By each of the columns in turn, all in the same direction. */
export const inOrder = (columns: readonly SQLWrapper[], descending: boolean): SQL =>
  sql.join(
    columns.map((column) => sql`${column} ${sql.raw(descending ? 'desc' : 'asc')}`),
    sql`, `,
  )
