import { and, eq, isNull } from 'drizzle-orm'
import { apiKeys } from '../../../database/tables/identityTables.ts'
import { change, unchanged } from '../../change.ts'
import type { Context } from '../../context.ts'
import { isId } from '../../ids.ts'
import { Forbidden, NotFound } from '../../refusals.ts'
import { isAtLeast } from '../roles.ts'
import type { ApiKey } from './createApiKey.ts'

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
