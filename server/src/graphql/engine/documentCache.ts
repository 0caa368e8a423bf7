import type { ApolloServerOptions, BaseContext } from '@apollo/server'
import type { DocumentNode } from 'graphql'
import type { CompiledQuery } from 'graphql-jit'
import { LRUCache } from 'lru-cache'

type DocumentStore = NonNullable<ApolloServerOptions<BaseContext>['documentStore']>

/**
 * Limits of the cache. Measured: a parsed document takes 75 to 100 bytes of memory per character, and its compiled
 * function 125 to 300.
 */
const most = {
  documents: 100,
  characters: 60_000,
  charactersOfOne: 10_000,
  keysSeenOnce: 2_000,
} as const

/**
 * The rate of compilation: a burst, then one query per interval. V8 keeps compiled code for several garbage collections
 * after its last use: 2,000 distinct queries a minute left 130 MB.
 */
const compilations = { atOnce: most.documents, everyMs: 1_000 } as const

export interface KnownDocument {
  readonly document: DocumentNode
  /** The compiled function. Undefined until it is compiled, null if the interpreter runs the query. */
  run: CompiledQuery['query'] | null | undefined
}

/**
 * Keeps parsed and validated documents that are sent repeatedly. Apollo offers each document that it parses. The cache
 * keeps a document when `keep` is called for it a second time, so that a stream of distinct operations leaves only
 * hashes. It evicts the least recently used entry.
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

  /** `now` returns milliseconds from any origin. */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now
    this.#countedAt = now()
  }

  /** Looks up by the hash of the text, before the document is parsed. */
  async get(key: string): Promise<DocumentNode | undefined> {
    return this.#known.get(key)?.document
  }

  /** Apollo calls it with each parsed document, valid or not. */
  async set(key: string, document: DocumentNode): Promise<void> {
    this.#keys.set(document, key)
  }

  async delete(key: string): Promise<void> {
    this.#known.delete(key)
  }

  /** Finds a document that `keep` has stored, which is therefore valid. */
  find(document: DocumentNode): KnownDocument | undefined {
    const key = this.#keys.get(document)
    return key === undefined ? undefined : this.#known.peek(key)
  }

  /** True if a query may be compiled now. Counts the compilation. */
  takeCompilation(): boolean {
    const now = this.#now()
    const earned = (now - this.#countedAt) / compilations.everyMs
    this.#compilationsLeft = Math.min(compilations.atOnce, this.#compilationsLeft + earned)
    this.#countedAt = now
    if (this.#compilationsLeft < 1) return false
    this.#compilationsLeft -= 1
    return true
  }

  /** Stores a valid document that was sent before. */
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
