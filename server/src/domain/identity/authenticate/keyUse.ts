import { and, eq, isNull, lt, or } from 'drizzle-orm'
import { LRUCache } from 'lru-cache'
import { apiKeys } from '../../../database/tables/identityTables.ts'
import type { TenantDatabase } from '../../../database/tenantDatabase.ts'
import { writeUnattended } from '../../change.ts'
import { keyUseResolutionSeconds } from '../limits.ts'

const rememberedKeys = 10_000

/**
 * Records when keys were last used, in the background and at most once a minute per key. A failure never affects a
 * request.
 */
export class KeyUse {
  readonly #database: TenantDatabase
  readonly #now: () => Date
  readonly #onFailure: (error: unknown) => void
  readonly #written = new LRUCache<string, number>({ max: rememberedKeys })
  readonly #pending = new Set<Promise<void>>()

  constructor(database: TenantDatabase, now: () => Date, onFailure: (error: unknown) => void) {
    this.#database = database
    this.#now = now
    this.#onFailure = onFailure
  }

  record(tenantId: string, keyId: string, lastUsedAt: Date | null): void {
    const now = this.#now()
    const due = now.getTime() - keyUseResolutionSeconds * 1000
    const known = Math.max(lastUsedAt?.getTime() ?? 0, this.#written.get(keyId) ?? 0)
    if (known > due) return
    this.#written.set(keyId, now.getTime())
    const writing = this.#write(tenantId, keyId, now, new Date(due))
      .catch(this.#onFailure)
      .finally(() => this.#pending.delete(writing))
    this.#pending.add(writing)
  }

  /** Resolves when all pending writes are done. */
  async settled(): Promise<void> {
    while (this.#pending.size > 0) await Promise.all(this.#pending)
  }

  async #write(tenantId: string, keyId: string, now: Date, due: Date): Promise<void> {
    await writeUnattended(this.#database, tenantId, (tx) =>
      tx.db
        .update(apiKeys)
        .set({ lastUsedAt: now })
        .where(
          and(
            tx.inTenant(apiKeys),
            eq(apiKeys.id, keyId),
            or(isNull(apiKeys.lastUsedAt), lt(apiKeys.lastUsedAt, due), eq(apiKeys.lastUsedAt, due)),
          ),
        ),
    )
  }
}
