import type { ApolloClient, DocumentNode, InMemoryCache, OperationVariables, TypedDocumentNode } from '@apollo/client'
import { wordError } from '../apollo/wordRefusal.ts'
import { type Part, Parts, type RowPage } from './pageParts.ts'

/** Where the pages of a list come from. */
export interface PageSource<Row> {
  /** Takes `variables`, `after` and `before`. */
  readonly query: DocumentNode
  /** The same for every page. They tell one list from another. */
  readonly variables: object
  /** The field that is the list. */
  readonly field: string
  /** The object that has the field. Default: the query. */
  readonly parent?: { readonly __typename: string; readonly id: string }
  readonly pageOf: (data: never) => RowPage<Row> | null
}

/** The list of a page: its first page comes with the data around it, the others by `query`. */
export interface ListSource<Data, Row> extends PageSource<Row> {
  readonly first: TypedDocumentNode<Data, OperationVariables>
  /** What a row shows, for lists whose rows change. These rows stay current even while new ones are only offered. */
  readonly row?: { readonly fragment: DocumentNode; readonly name: string }
}

/** A snapshot of the pages after the first one. Each change makes another object. */
export interface LaterPagesState {
  readonly rowCount: number
  /** Whether more rows exist than `rowCount`. */
  readonly hasMore: boolean
  readonly isLoading: boolean
  /** Why rows could not be loaded, in words. */
  readonly failure: string | null
}

/** When a part is more than `farRows` from the view, every part more than `keptRows` from it is dropped. */
const farRows = 1_000
const keptRows = 300

/**
 * The pages of a list after its first one. Only rows near the view stay in memory. A dropped page keeps its place, its row
 * count and two cursors, and is loaded again when it comes into view. Memory therefore grows by a cursor a page, and every page
 * costs the same, however deep it is. Row 0 is the first row of the second page.
 */
export class LaterPages<Row> {
  readonly #client: ApolloClient
  readonly #source: PageSource<Row>
  readonly #parts: Parts<Row>
  readonly #listeners = new Set<() => void>()
  /** Nothing is in view until `look` says so. */
  #view = { first: -Infinity, last: -Infinity }
  #state: LaterPagesState
  #isClosed = false

  /** `after` is the cursor at the end of the first page, or null if it is the only page. */
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

  /** Undefined if the row is not in memory. */
  rowAt(index: number): Row | undefined {
    return this.#parts.rowAt(index)
  }

  /** Sets which rows are in view, `last` not included, and loads those that are missing. After a failure, `more` loads new rows. */
  look(first: number, last: number): void {
    this.#view = { first, last }
    this.#dropFar()
    void this.#load(this.#state.failure === null)
  }

  /** Loads the next page because a person asked for it. */
  more(): void {
    this.#view = { ...this.#view, last: Math.max(this.#view.last, this.#state.rowCount) }
    void this.#load(true)
  }

  /** Returns the function that closes the list. It can be opened again. */
  open(): () => void {
    this.#isClosed = false
    void this.#load(true)
    return () => this.#close()
  }

  #close(): void {
    this.#isClosed = true
    for (const part of this.#parts.all) part.drop()
    collectGarbage(this.#client)
  }

  /** Loads one page at a time: dragging the scroll bar passes many pages, and only the last one matters. */
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

  /** Keeps the part equal to its page in the cache. */
  #follow(part: Part<Row>, variables: object): null {
    const { cache } = this.#client
    const { query, field, parent, pageOf } = this.#source
    const stop = cache.watch({
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
    part.drop = () => {
      stop()
      part.rows = null
      part.drop = () => undefined
      cache.evict({ id: (parent && cache.identify(parent)) ?? 'ROOT_QUERY', fieldName: field, args: { ...variables } })
    }
    if (this.#isClosed) part.drop()
    return null
  }

  #dropFar(): void {
    const held = this.#parts.all.filter(({ rows }) => rows !== null)
    const beyond = (rows: number) => held.filter((part) => this.#parts.distance(part, this.#view) > rows)
    if (beyond(farRows).length === 0) return
    for (const part of beyond(keptRows)) part.drop()
    collectGarbage(this.#client)
  }

  #tell(isLoading: boolean, failure: string | null): void {
    this.#state = this.#stateWith(isLoading, failure)
    for (const listener of this.#listeners) listener()
  }

  #stateWith(isLoading: boolean, failure: string | null): LaterPagesState {
    return { rowCount: this.#parts.rowCount, hasMore: this.#parts.hasMore, isLoading, failure }
  }
}

/** Also resets the memoized results of the cache, which otherwise keep several kilobytes for each dropped row. */
function collectGarbage({ cache }: ApolloClient): void {
  // Every client of the console has this cache (`createCache`). Importing its class here splits a chunk, which costs 1.7 kB of the first load.
  const inMemory = cache as InMemoryCache
  inMemory.gc({ resetResultCache: true })
}
