import { timingSafeEqual } from 'node:crypto'
import { and, eq } from 'drizzle-orm'
import { apiKeys } from '../../database/tables/identityTables.ts'
import type { Context, Principal } from '../context.ts'
import { Unauthenticated } from '../refusals.ts'
import { hashSecret, parseApiKey } from './apiKeyText.ts'
import type { CheckedKeys } from './checkedKeys.ts'
import type { KeyUse } from './keyUse.ts'

export type ApiKeyRow = typeof apiKeys.$inferSelect

export type ApiKeyServices = Pick<Context, 'database' | 'now'> & { readonly keyUse: KeyUse }

/**
 * The principal that a key stands for now. Reads the key's row, so that a revoked key is refused at once. Rejects with
 * the same `Unauthenticated` whatever is wrong with it.
 */
export async function authenticateApiKey(services: ApiKeyServices, text: string): Promise<Principal> {
  return principalOf(services, await readKey(services, text))
}

/**
 * The same for a key that may have been checked before: then its row is not read, and whoever acts in its name has to
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
  const hash = hashSecret(key.secret)
  const [row] = await services.database.readOnce(tenantId, (tx) =>
    tx.db
      .select()
      .from(apiKeys)
      .where(and(tx.mine(apiKeys), eq(apiKeys.id, keyId))),
  )
  const isRight = timingSafeEqual(row?.secretHash ?? Buffer.alloc(hash.length), hash)
  if (!row || !isRight || row.revokedAt !== null) throw new Unauthenticated()
  if (row.expiresAt !== null && row.expiresAt <= services.now()) throw new Unauthenticated()
  return row
}

function principalOf({ keyUse }: ApiKeyServices, { tenantId, id, name, role, lastUsedAt }: ApiKeyRow): Principal {
  keyUse.record(tenantId, id, lastUsedAt)
  return { tenantId, id, kind: 'API_KEY', subject: id, name, email: null, role }
}
