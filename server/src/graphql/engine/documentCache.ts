import type { ApolloServerOptions, BaseContext } from '@apollo/server'
import type { DocumentNode } from 'graphql'
import type { CompiledQuery } from 'graphql-jit'

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
  readonly #known = new Map<string, KnownDocument>()
  readonly #seenOnce = new Set<string>()
  readonly #keys = new WeakMap<DocumentNode, string>()
  #characters = 0

  /** By the hash of the text. Called before a document is parsed. */
  async get(key: string): Promise<DocumentNode | undefined> {
    const known = this.#known.get(key)
    if (!known) return undefined
    this.#known.delete(key)
    this.#known.set(key, known)
    return known.document
  }

  /** Called with each document that was parsed, valid or not. */
  async set(key: string, document: DocumentNode): Promise<void> {
    this.#keys.set(document, key)
  }

  async delete(key: string): Promise<void> {
    this.#forget(key)
  }

  /** A document that `keep` has taken, and so a valid one. */
  find(document: DocumentNode): KnownDocument | undefined {
    return this.#known.get(this.#keys.get(document) ?? '')
  }

  /** Keeps a valid document that was asked for before. */
  keep(document: DocumentNode): void {
    const key = this.#keys.get(document)
    const length = lengthOf(document)
    if (key === undefined || this.#known.has(key) || length > most.charactersOfOne) return
    if (!this.#seenOnce.delete(key)) {
      this.#seenOnce.add(key)
      if (this.#seenOnce.size > most.keysSeenOnce) deleteFirst(this.#seenOnce)
      return
    }
    this.#known.set(key, { document, run: undefined })
    this.#characters += length
    while (this.#known.size > most.documents || this.#characters > most.characters) this.#forgetOldest()
  }

  #forgetOldest(): void {
    for (const key of this.#known.keys()) {
      this.#forget(key)
      return
    }
  }

  #forget(key: string): void {
    const known = this.#known.get(key)
    if (!known) return
    this.#known.delete(key)
    this.#characters -= lengthOf(known.document)
  }
}

const lengthOf = ({ loc }: DocumentNode): number => loc?.source.body.length ?? 0

function deleteFirst<T>(values: Set<T>): void {
  for (const value of values) {
    values.delete(value)
    return
  }
}
