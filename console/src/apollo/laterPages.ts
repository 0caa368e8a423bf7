import { type ApolloClient, type DocumentNode, InMemoryCache } from '@apollo/client'
import { type Part, Parts, type RowPage } from './pageParts.ts'
import { wordError } from './wordRefusal.ts'

/** Where the pages of a list come from. */
export interface PageSource<Row> {
  /** Takes `after` and `before`, and nothing else that `variables` does not hold. */
  readonly query: DocumentNode
  /** The same for every page. They are arguments of the field too, by the same names. */
  readonly variables: object
  /** The field of `Query` that is the list. */
  readonly field: string
  readonly pageOf: (data: never) => RowPage<Row> | null
}

/** What is known of the pages after the first one; a new value whenever that changes. */
export interface LaterPagesState {
  readonly rowCount: number
  /** Whether more rows exist than `rowCount`. */
  readonly hasMore: boolean
  readonly isLoading: boolean
  /** Why rows could not be loaded, in words. */
  readonly failure: string | null
}

/** Once rows lie as far from the view as `farRows`, all are let go but those within `keptRows` of it. */
const farRows = 1_000
const keptRows = 300

/**
 * The pages of a list after its first one. Only the rows near the view are kept; of the others stays where they begin and
 * how many they are, and they come back when somebody scrolls to them. However far that is, memory stays the same but for
 * a cursor a page, and a further page costs what the second one did. Rows are counted from the first of these pages.
 */
export class LaterPages<Row> {
  readonly #client: ApolloClient
  readonly #source: PageSource<Row>
  readonly #parts: Parts<Row>
  readonly #listeners = new Set<() => void>()
  #view = { first: 0, last: 0 }
  #state: LaterPagesState
  #isClosed = false

  /** `after` is where the first page ends, or null where nothing follows it. */
  constructor(client: ApolloClient, source: PageSource<Row>, after: string | null) {
    this.#client = client
    this.#source = source
    this.#parts = new Parts(after)
    this.#state = this.#stateWith(false, null)
  }

  readonly subscribe = (listener: () => void) => {
    this.#listeners.add(listener)
    return () => void this.#listeners.delete(listener)
  }

  readonly state = (): LaterPagesState => this.#state

  /** Undefined where the row has not come, or has to come again. */
  rowAt(index: number): Row | undefined {
    return this.#parts.rowAt(index)
  }

  /** The rows that are in memory. */
  held(): Row[] {
    return this.#parts.all.flatMap(({ rows }) => rows ?? [])
  }

  /** These rows are in sight, `last` not included. After a failure only a person asks for rows that nobody has seen. */
  look(first: number, last: number): void {
    this.#view = { first, last }
    this.#letGoFar()
    void this.#load(this.#state.failure === null)
  }

  /** A person asks for more. */
  more(): void {
    this.#view = { ...this.#view, last: Math.max(this.#view.last, this.#state.rowCount) }
    void this.#load(true)
  }

  /** Returns what closes it again. A list can be opened more than once. */
  open(): () => void {
    this.#isClosed = false
    void this.#load(true)
    return () => this.#close()
  }

  #close(): void {
    this.#isClosed = true
    for (const part of this.#parts.all) part.letGo()
    forgetUnused(this.#client)
  }

  /** One page at a time: dragging the scroll bar passes many pages, and only the last is wanted. */
  async #load(isForNew: boolean): Promise<void> {
    const part = this.#parts.missing(this.#view, isForNew)
    if (!part || this.#state.isLoading || this.#isClosed) return
    this.#tell(true, null)
    const { query } = this.#source
    const variables = { ...this.#source.variables, ...this.#parts.endsOf(part) }
    const failure = await this.#client.query({ query, variables, fetchPolicy: 'network-only' }).then(
      () => this.#follow(part, variables),
      (error: unknown) => wordError(error),
    )
    this.#tell(false, failure)
    if (failure === null) await this.#load(true)
  }

  /** What changes the files of a page changes them in the cache. */
  #follow(part: Part<Row>, variables: object): null {
    const { cache } = this.#client
    const { query, field, pageOf } = this.#source
    const forget = cache.watch({
      query,
      variables,
      optimistic: true,
      immediate: true,
      callback: ({ complete, result }) => {
        const page = complete ? pageOf(result as never) : null
        if (page === null) return
        this.#parts.fill(part, page)
        this.#tell(this.#state.isLoading, this.#state.failure)
      },
    })
    part.letGo = () => {
      forget()
      part.rows = null
      part.letGo = () => undefined
      cache.evict({ id: 'ROOT_QUERY', fieldName: field, args: { ...variables } })
    }
    if (this.#isClosed) part.letGo()
    return null
  }

  #letGoFar(): void {
    const held = this.#parts.all.filter(({ rows }) => rows !== null)
    const beyond = (rows: number) => held.filter((part) => this.#parts.distance(part, this.#view) > rows)
    if (beyond(farRows).length === 0) return
    for (const part of beyond(keptRows)) part.letGo()
    forgetUnused(this.#client)
  }

  #tell(isLoading: boolean, failure: string | null): void {
    this.#state = this.#stateWith(isLoading, failure)
    for (const listener of this.#listeners) listener()
  }

  #stateWith(isLoading: boolean, failure: string | null): LaterPagesState {
    return { rowCount: this.#parts.rowCount, hasMore: this.#parts.hasMore, isLoading, failure }
  }
}

/** What was worked out from the rows goes with them: left to itself the cache keeps several kilobytes a row of that. */
function forgetUnused({ cache }: ApolloClient): void {
  if (cache instanceof InMemoryCache) cache.gc({ resetResultCache: true })
}
