export interface RowPage<Row> {
  readonly edges: readonly { readonly cursor: string; readonly node: Row }[]
  readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean }
}

/** An interval of a list: the rows behind the cursor `after`, up to the start of the next part. */
export interface Part<Row> {
  after: string
  /** The cursor of its first row. Null until it was loaded once. */
  startCursor: string | null
  /** The index of its first row in the list. */
  start: number
  /** The number of its rows, or the number when they were dropped. Null until it was loaded once. */
  count: number | null
  /** Null while the rows are not in memory. */
  rows: readonly Row[] | null
  /** Drops the rows from memory. */
  drop: () => void
}

/** The rows in view, `last` not included. */
interface View {
  readonly first: number
  readonly last: number
}

/** A part that was never loaded is loaded when the view comes this close. */
const nearRows = 15

/**
 * A list in parts without a gap or an overlap. A part is requested with the cursors at both of its ends. The response
 * therefore includes rows that were added in between, and no row twice. Rows that do not fit into one page become another part.
 */
export class Parts<Row> {
  readonly all: Part<Row>[]

  constructor(after: string | null) {
    this.all = after === null ? [] : [newPart(after)]
  }

  get rowCount(): number {
    const last = this.all.at(-1)
    return last ? last.start + (last.count ?? 0) : 0
  }

  get hasMore(): boolean {
    return this.all.at(-1)?.count === null
  }

  rowAt(index: number): Row | undefined {
    const part = this.all.findLast(({ start, count }) => start <= index && count !== 0)
    return part?.rows?.[index - part.start]
  }

  /** The arguments that request exactly this part. */
  endsOf(part: Part<Row>): { after: string; before: string | null } {
    const next = this.all.slice(this.all.indexOf(part) + 1).find(({ startCursor }) => startCursor !== null)
    return { after: part.after, before: next?.startCursor ?? null }
  }

  /** The first part in view whose rows are missing. Parts that were never loaded count only if `isForNew`. */
  missing(view: View, isForNew: boolean): Part<Row> | undefined {
    return this.all.find((part) => {
      const isNew = part.count === null
      return part.rows === null && (isForNew || !isNew) && this.distance(part, view) <= (isNew ? nearRows : 0)
    })
  }

  /** The number of rows between a part and the view. */
  distance({ start, count }: Part<Row>, { first, last }: View): number {
    return Math.max(0, start - last, first - start - (count ?? 0))
  }

  fill(part: Part<Row>, { edges, pageInfo }: RowPage<Row>): void {
    if (part.rows === null) this.#bound(part, edges[0]?.cursor ?? part.startCursor, pageInfo)
    part.rows = edges.map(({ node }) => node)
    part.count = edges.length
    let start = 0
    for (const each of this.all) {
      each.start = start
      start += each.count ?? 0
    }
  }

  #bound(part: Part<Row>, startCursor: string | null, { endCursor, hasNextPage }: RowPage<Row>['pageInfo']): void {
    part.startCursor = startCursor
    if (endCursor === null) return
    const at = this.all.indexOf(part) + 1
    const next = this.all[at]
    if (hasNextPage) this.all.splice(at, 0, newPart(endCursor))
    else if (next) next.after = endCursor
  }
}

const newPart = <Row>(after: string): Part<Row> => ({
  after,
  startCursor: null,
  start: 0,
  count: null,
  rows: null,
  drop: () => undefined,
})
