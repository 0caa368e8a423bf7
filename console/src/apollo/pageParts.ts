export interface RowPage<Row> {
  readonly edges: readonly { readonly cursor: string; readonly node: Row }[]
  readonly pageInfo: { readonly endCursor: string | null; readonly hasNextPage: boolean }
}

/** An interval of a list: the rows behind the cursor `after`, up to where the next part begins. */
export interface Part<Row> {
  after: string
  /** The cursor of its first row, once somebody has seen it. */
  startCursor: string | null
  /** The place of its first row in the list. */
  start: number
  /** How many rows it has, or had when they were let go; null until somebody has seen them. */
  count: number | null
  /** Null until they have come, and again once they are let go. */
  rows: readonly Row[] | null
  /** Forgets the rows. */
  letGo: () => void
}

/** Rows in sight, `last` not included. */
interface View {
  readonly first: number
  readonly last: number
}

/** How close to the view rows that nobody has seen are asked for. */
const nearRows = 15

/**
 * A list in parts without a gap or an overlap. A part is asked for by both of its ends: what was added in between comes
 * with it, nothing comes twice, and what does not fit into one page becomes a part of its own.
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

  /** The arguments that ask for exactly this part. */
  endsOf(part: Part<Row>): { after: string; before: string | null } {
    const next = this.all.slice(this.all.indexOf(part) + 1).find(({ startCursor }) => startCursor !== null)
    return { after: part.after, before: next?.startCursor ?? null }
  }

  /** The first part in sight whose rows are missing; one that nobody has seen only where `isForNew`. */
  missing(view: View, isForNew: boolean): Part<Row> | undefined {
    return this.all.find((part) => {
      const isNew = part.count === null
      return part.rows === null && (isForNew || !isNew) && this.distance(part, view) <= (isNew ? nearRows : 0)
    })
  }

  /** How many rows lie between a part and the view. */
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
  letGo: () => undefined,
})
