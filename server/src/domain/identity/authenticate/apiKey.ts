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
 * The principal of a key, as of now. Reads the key's row, so that a revoked key is refused at once. Rejects with
 * the same `Unauthenticated` whatever is wrong with it.
 */
export async function authenticateApiKey(services: ApiKeyServices, text: string): Promise<Principal> {
  return principalOf(services, await readKey(services, text))
}

/**
 * The same for a key that may have been checked before: then its row is not read, and every use has to
 * do it on `forKey` of the database and to settle a `KeyProof` before answering.
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
 * The keys that were checked of late, so that checking one again costs no question of its own: each transaction in its
 * name asks whether it still stands. They are found by a hash of their text, which is not kept itself. Memory is bounded:
 * the key that was used longest ago is forgotten first.
 */
export class CheckedKeys {
  readonly #rows = new LRUCache<string, ApiKeyRow>({ max: rememberedKeys })

  /** The row of a key that has not expired, as it was when it was read. */
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

/** Whether something failed because the key in whose name it was done had ended: `settle` refuses the whole answer then. */
export const isKeyEnded = (error: unknown): boolean => error instanceof KeyEnded

/** What is left to prove of a caller whose key was checked before: that it stood while the request was answered. */
export class KeyProof {
  /** What the request has to act on. */
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
   * Before the answer goes out. Rejects with `Unauthenticated` when a transaction has met a key that had ended; where no
   * transaction was opened, the key is read.
   */
  async settle(): Promise<void> {
    const { keyStands } = this.database
    if (keyStands === true) return
    this.#services.checkedKeys.forget(this.#text)
    if (keyStands === false) throw new Unauthenticated()
    await authenticateApiKey(this.#services, this.#text)
  }
}
