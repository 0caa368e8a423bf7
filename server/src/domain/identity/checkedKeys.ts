import { hash } from 'node:crypto'
import type { ApiKeyRow } from './authenticateApiKey.ts'

const rememberedKeys = 10_000

/**
 * The keys that were checked of late, so that checking one again costs no question of its own: each transaction in its
 * name asks whether it still stands. They are found by a hash of their text, which is not kept itself. Memory is bounded:
 * what was remembered first is forgotten first.
 */
export class CheckedKeys {
  readonly #rows = new Map<string, ApiKeyRow>()

  /** The row of a key that has not expired, as it was when it was read. */
  find(text: string, now: Date): ApiKeyRow | null {
    const row = this.#rows.get(digestOf(text))
    return !row || (row.expiresAt !== null && row.expiresAt <= now) ? null : row
  }

  remember(text: string, row: ApiKeyRow): void {
    this.#rows.set(digestOf(text), row)
    if (this.#rows.size > rememberedKeys) this.#forgetOldest()
  }

  forget(text: string): void {
    this.#rows.delete(digestOf(text))
  }

  #forgetOldest(): void {
    for (const digest of this.#rows.keys()) {
      this.#rows.delete(digest)
      return
    }
  }
}

const digestOf = (text: string): string => hash('sha256', text, 'base64')
