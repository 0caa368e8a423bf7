import { timingSafeEqual } from 'node:crypto'
import type { Principal } from '../context.ts'
import type { ApiKeyRow } from './authenticateApiKey.ts'

const rememberedKeys = 10_000

/**
 * The keys that were checked of late, so that checking one again costs no question of its own: each transaction in its
 * name asks whether it still stands. Memory is bounded: what was remembered first is forgotten first.
 */
export class CheckedKeys {
  readonly #rows = new Map<string, ApiKeyRow>()

  /** The row of a key with this secret that has not expired, as it was when it was read. */
  find(keyId: string, secretHash: Buffer, now: Date): ApiKeyRow | null {
    const row = this.#rows.get(keyId)
    if (!row || !timingSafeEqual(row.secretHash, secretHash)) return null
    return row.expiresAt !== null && row.expiresAt <= now ? null : row
  }

  remember(row: ApiKeyRow): void {
    this.#rows.set(row.id, row)
    if (this.#rows.size > rememberedKeys) this.#forgetOldest()
  }

  forget({ id }: Pick<Principal, 'id'>): void {
    this.#rows.delete(id)
  }

  #forgetOldest(): void {
    for (const id of this.#rows.keys()) {
      this.#rows.delete(id)
      return
    }
  }
}
