import { timingSafeEqual } from 'node:crypto'
import { and, eq } from 'drizzle-orm'
import { apiKeys } from '../../database/tables.ts'
import type { Context, Principal } from '../context.ts'
import { Unauthenticated } from '../refusals.ts'
import { hashSecret, parseApiKey } from './apiKeyText.ts'
import type { KeyUse } from './keyUse.ts'

/**
 * The principal that a key stands for. Reads the key's row each time, so that a revoked key is refused at once.
 * Rejects with the same `Unauthenticated` whatever is wrong with it.
 */
export async function authenticateApiKey(
  services: Pick<Context, 'database' | 'now'> & { readonly keyUse: KeyUse },
  text: string,
): Promise<Principal> {
  const key = parseApiKey(text)
  if (!key) throw new Unauthenticated()
  const { tenantId, keyId } = key
  const [row] = await services.database.readOnce(tenantId, (tx) =>
    tx.db
      .select()
      .from(apiKeys)
      .where(and(tx.mine(apiKeys), eq(apiKeys.id, keyId))),
  )
  const hash = hashSecret(key.secret)
  const isRight = timingSafeEqual(row?.secretHash ?? Buffer.alloc(hash.length), hash)
  if (!row || !isRight || row.revokedAt !== null) throw new Unauthenticated()
  if (row.expiresAt !== null && row.expiresAt <= services.now()) throw new Unauthenticated()
  services.keyUse.record(tenantId, keyId, row.lastUsedAt)
  return { tenantId, id: keyId, kind: 'API_KEY', subject: keyId, name: row.name, email: null, role: row.role }
}
