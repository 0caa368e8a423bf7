import { randomBytes } from 'node:crypto'
import { type InferSelectModel, and, eq, isNull } from 'drizzle-orm'
import { apiKeys, principals } from '../../../database/tables/identityTables.ts'
import { change, unchanged } from '../../change.ts'
import { type Context, type Role, readingOnce } from '../../context.ts'
import { isId, newId } from '../../ids.ts'
import { Forbidden, Invalid, NotFound } from '../../refusals.ts'
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

/**
 * Revokes a key. No request that starts afterwards is answered with it. Idempotent: a repeated call records nothing.
 * Rejects with `NotFound`, or with `Forbidden` for a key of a role above the caller's own.
 */
export async function revokeApiKey(ctx: Context, id: string): Promise<ApiKey> {
  if (!isId(id)) throw new NotFound('API key')
  return change(ctx, async (tx) => {
    const isThisKey = and(tx.inTenant(apiKeys), eq(apiKeys.id, id))
    const [found] = await tx.db.select().from(apiKeys).where(isThisKey)
    if (!found) throw new NotFound('API key')
    if (!isAtLeast(ctx.principal.role, found.role)) throw new Forbidden()
    // One statement decides which of several concurrent calls revokes the key.
    const [revoked] = await tx.db
      .update(apiKeys)
      .set({ revokedAt: ctx.now() })
      .where(and(isThisKey, isNull(apiKeys.revokedAt)))
      .returning()
    if (revoked) return { answer: revoked, records: [{ action: 'api_key.revoked', id, name: revoked.name }] }
    const [already] = await tx.db.select().from(apiKeys).where(isThisKey)
    return unchanged(already ?? found)
  })
}

/** An API key without its secret, which cannot be read again. */
export type ListedApiKey = Awaited<ReturnType<typeof listApiKeys>>[number]

/** The tenant's keys, revoked and expired ones included, newest first. */
export async function listApiKeys(ctx: Context) {
  const keys = await readingOnce(ctx, (tx) =>
    tx.relational.apiKeys.findMany({
      columns: {
        id: true,
        name: true,
        role: true,
        createdAt: true,
        expiresAt: true,
        lastUsedAt: true,
        revokedAt: true,
      },
      with: { creator: { columns: { id: true, kind: true, name: true, email: true } } },
      where: { tenantId: tx.tenantId },
      orderBy: { createdAt: 'desc', id: 'desc' },
    }),
  )
  return keys.map(({ creator, ...key }) => ({ ...key, createdBy: creator }))
}
