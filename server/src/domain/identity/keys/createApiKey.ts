import { randomBytes } from 'node:crypto'
import type { InferSelectModel } from 'drizzle-orm'
import { apiKeys, principals } from '../../../database/tables/identityTables.ts'
import { change } from '../../change.ts'
import type { Context, Role } from '../../context.ts'
import { newId } from '../../ids.ts'
import { Forbidden, Invalid } from '../../refusals.ts'
import { acceptName } from '../../text.ts'
import { keyNameMaxLength } from '../limits.ts'
import { isAtLeast } from '../roles.ts'
import { formatApiKey, hashSecret } from './apiKeyText.ts'

export type ApiKey = InferSelectModel<typeof apiKeys>

export interface NewApiKey {
  readonly name: string
  readonly role: Role
  /** Null: never expires. */
  readonly expiresAt: Date | null
}

/**
 * Creates a key in the caller's tenant. `secret` is the complete bearer token. It is returned only here and is not
 * stored. Rejects with `Invalid`, or with `Forbidden` for a role above the caller's own.
 */
export async function createApiKey(ctx: Context, wanted: NewApiKey): Promise<{ apiKey: ApiKey; secret: string }> {
  const name = acceptName('name', wanted.name, keyNameMaxLength)
  const now = ctx.now()
  if (wanted.expiresAt !== null && !(wanted.expiresAt > now && wanted.expiresAt.getUTCFullYear() <= 9999)) {
    throw new Invalid('expiresAt', 'The expiry has to lie in the future, and before the year 10000.')
  }
  if (!isAtLeast(ctx.principal.role, wanted.role)) throw new Forbidden('You cannot give a role above your own.')
  const { tenantId } = ctx.principal
  const secret = randomBytes(32)
  const apiKey: ApiKey = {
    tenantId,
    id: newId(now),
    name,
    role: wanted.role,
    secretHash: hashSecret(secret),
    createdBy: ctx.principal.id,
    createdAt: now,
    expiresAt: wanted.expiresAt,
    lastUsedAt: null,
    revokedAt: null,
  }
  return change(ctx, async (tx) => {
    await tx.db
      .insert(principals)
      .values({ tenantId, id: apiKey.id, kind: 'API_KEY', subject: apiKey.id, name, createdAt: now })
    await tx.db.insert(apiKeys).values(apiKey)
    const payload = { role: apiKey.role, expiresAt: apiKey.expiresAt?.toISOString() ?? null }
    return {
      answer: { apiKey, secret: formatApiKey({ tenantId, keyId: apiKey.id, secret }) },
      records: [{ action: 'api_key.created', id: apiKey.id, name, payload }],
    }
  })
}
