import { hash, timingSafeEqual } from 'node:crypto'
import { and, eq } from 'drizzle-orm'
import { LRUCache } from 'lru-cache'
import { apiKeys } from '../../../database/tables/identityTables.ts'
import { type KeyedDatabase, KeyEnded } from '../../../database/tenantDatabase.ts'
import type { Context, Principal } from '../../context.ts'
import { Unauthenticated } from '../../refusals.ts'
import { hashSecret, parseApiKey } from '../keys/apiKeyText.ts'
import type { KeyUse } from './keyUse.ts'

type ApiKeyRow = typeof apiKeys.$inferSelect

type ApiKeyServices = Pick<Context, 'database' | 'now'> & { readonly keyUse: KeyUse }

/**
 * Returns the principal of a key. Reads the key's row, so that a revoked key is refused at once. Rejects with the same
 * `Unauthenticated` for every reason.
 */
export async function authenticateApiKey(services: ApiKeyServices, text: string): Promise<Principal> {
  return principalOf(services, await readKey(services, text))
}

/**
 * As `authenticateApiKey`, but does not read the row of a key that was checked recently. The caller must use `forKey`
 * of the database and settle a `KeyProof` before it responds.
 */
export async function recogniseApiKey(
  services: ApiKeyServices & { readonly checkedKeys: CheckedKeys },
  text: string,
): Promise<Principal> {
  const known = services.checkedKeys.find(text, services.now())
  const row = known ?? (await readKey(services, text))
  if (!known) services.checkedKeys.remember(text, row)
  return principalOf(services, row)
}

async function readKey(services: ApiKeyServices, text: string): Promise<ApiKeyRow> {
  const key = parseApiKey(text)
  if (!key) throw new Unauthenticated()
  const { tenantId, keyId } = key
  const presented = hashSecret(key.secret)
  const [row] = await services.database.readOnce(tenantId, (tx) =>
    tx.db
      .select()
      .from(apiKeys)
      .where(and(tx.inTenant(apiKeys), eq(apiKeys.id, keyId))),
  )
  const isRight = timingSafeEqual(row?.secretHash ?? Buffer.alloc(presented.length), presented)
  if (!row || !isRight || row.revokedAt !== null) throw new Unauthenticated()
  if (row.expiresAt !== null && row.expiresAt <= services.now()) throw new Unauthenticated()
  return row
}

function principalOf({ keyUse }: ApiKeyServices, { tenantId, id, name, role, lastUsedAt }: ApiKeyRow): Principal {
  keyUse.record(tenantId, id, lastUsedAt)
  return { tenantId, id, kind: 'API_KEY', subject: id, name, email: null, role }
}

const rememberedKeys = 10_000

/**
 * Caches recently checked keys. Each transaction of such a key checks that the key is still valid, so a cached key
 * costs no extra query. The cache is keyed by a hash of the key, which is not stored itself. The least recently used
 * key is evicted to bound memory.
 */
export class CheckedKeys {
  readonly #rows = new LRUCache<string, ApiKeyRow>({ max: rememberedKeys })

  /** The cached row of a key that has not expired. */
  find(text: string, now: Date): ApiKeyRow | null {
    const row = this.#rows.get(digestOf(text))
    return !row || (row.expiresAt !== null && row.expiresAt <= now) ? null : row
  }

  remember(text: string, row: ApiKeyRow): void {
    this.#rows.set(digestOf(text), row)
  }

  forget(text: string): void {
    this.#rows.delete(digestOf(text))
  }
}

const digestOf = (text: string): string => hash('sha256', text, 'base64')

/** True if the key of the request was revoked or changed meanwhile. `settle` then refuses the whole response. */
export const isKeyEnded = (error: unknown): boolean => error instanceof KeyEnded

/** The pending proof for a caller with a cached key: the key must have been valid while the request was answered. */
export class KeyProof {
  /** The request must use this database. */
  readonly database: KeyedDatabase
  readonly #services: ApiKeyServices & { readonly checkedKeys: CheckedKeys }
  readonly #text: string

  constructor(services: ApiKeyServices & { readonly checkedKeys: CheckedKeys }, text: string, principal: Principal) {
    this.#services = services
    this.#text = text
    const { tenantId, id: keyId, role } = principal
    this.database = services.database.forKey({ tenantId, keyId, role })
  }

  /**
   * Must be called before the response is sent. Rejects with `Unauthenticated` if a transaction found the key invalid.
   * Reads the key if no transaction was opened.
   */
  async settle(): Promise<void> {
    const { keyStands } = this.database
    if (keyStands === true) return
    this.#services.checkedKeys.forget(this.#text)
    if (keyStands === false) throw new Unauthenticated()
    await authenticateApiKey(this.#services, this.#text)
  }
}
