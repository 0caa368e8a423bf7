import type { ApolloServerOptions, BaseContext } from '@apollo/server'
import type { DocumentNode } from 'graphql'
import type { CompiledQuery } from 'graphql-jit'
import { LRUCache } from 'lru-cache'

type DocumentStore = NonNullable<ApolloServerOptions<BaseContext>['documentStore']>

/**
 * Bounds of what is remembered of operations. Measured: a parsed document takes 75 to 100 bytes of memory a character, and
 * its compiled function 125 to 300.
 */
const most = {
  documents: 100,
  characters: 60_000,
  charactersOfOne: 10_000,
  keysSeenOnce: 2_000,
} as const

/**
 * How often a query may be compiled: so many at once, and then one in so many milliseconds. V8 keeps what it compiled for
 * several collections after nobody needs it any more: 2,000 distinct queries a minute left 130 MB.
 */
const compilations = { atOnce: most.documents, everyMs: 1_000 } as const

export interface KnownDocument {
  readonly document: DocumentNode
  /** The query as a function. Undefined until it is compiled, null if it is left to the interpreter. */
  run: CompiledQuery['query'] | null | undefined
}

/**
 * The documents that are asked for again, parsed and validated. Apollo offers each document that it parses. One is kept
 * only when `keep` names it a second time, so that a stream of distinct operations leaves nothing but the hashes of the
 * last of them. What was asked for longest ago is forgotten first.
 */
export class DocumentCache implements DocumentStore {
  readonly #known = new LRUCache<string, KnownDocument>({
    max: most.documents,
    maxSize: most.characters,
    sizeCalculation: ({ document }) => lengthOf(document),
  })
  readonly #seenOnce = new LRUCache<string, true>({ max: most.keysSeenOnce })
  readonly #keys = new WeakMap<DocumentNode, string>()
  readonly #now: () => number
  #compilationsLeft: number = compilations.atOnce
  #countedAt: number

  /** `now` in milliseconds, from any beginning. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#countedAt = now()
  }

  /** By the hash of the text. Called before a document is parsed. */
  async get(key: string): Promise<DocumentNode | undefined> {
    return this.#known.get(key)?.document
  }

  /** Called with each document that was parsed, valid or not. */
  async set(key: string, document: DocumentNode): Promise<void> {
    this.#keys.set(document, key)
  }

  async delete(key: string): Promise<void> {
    this.#known.delete(key)
  }

  /** A document that `keep` has taken, and so a valid one. */
  find(document: DocumentNode): KnownDocument | undefined {
    const key = this.#keys.get(document)
    return key === undefined ? undefined : this.#known.peek(key)
  }

  /** True if a query may be compiled now. Counts it. */
  takeCompilation(): boolean {
    const now = this.#now()
    const earned = (now - this.#countedAt) / compilations.everyMs
    this.#compilationsLeft = Math.min(compilations.atOnce, this.#compilationsLeft + earned)
    this.#countedAt = now
    if (this.#compilationsLeft < 1) return false
    this.#compilationsLeft -= 1
    return true
  }

  /** Keeps a valid document that was asked for before. */
  keep(document: DocumentNode): void {
    const key = this.#keys.get(document)
    if (key === undefined || this.#known.has(key) || lengthOf(document) > most.charactersOfOne) return
    if (!this.#seenOnce.delete(key)) {
      this.#seenOnce.set(key, true)
      return
    }
    this.#known.set(key, { document, run: undefined })
  }
}

function lengthOf({ loc }: DocumentNode): number {
  if (!loc) throw new Error('A parsed document does not say where its text is')
  return loc.source.body.length
}
