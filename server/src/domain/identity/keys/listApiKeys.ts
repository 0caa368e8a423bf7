import { and, eq, type SQL, sql } from 'drizzle-orm'
import { isAnyOf } from '../../../database/conditions.ts'
import { apiKeys, principals } from '../../../database/tables/identityTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { type Context, readingOnce } from '../../context.ts'
import { type Order, type Page, type PageArguments, pageRequest } from '../../paging/page.ts'

/** An API key without its secret, which nobody can read again. */
export type ApiKey = Awaited<ReturnType<typeof selectApiKeys>>[number]

function selectApiKeys(tx: Transaction, where: SQL | undefined, orderBy: SQL = sql`${apiKeys.id}`, limit = 1) {
  return tx.db
    .select({
      id: apiKeys.id,
      name: apiKeys.name,
      role: apiKeys.role,
      createdAt: apiKeys.createdAt,
      expiresAt: apiKeys.expiresAt,
      lastUsedAt: apiKeys.lastUsedAt,
      revokedAt: apiKeys.revokedAt,
      createdBy: { id: principals.id, kind: principals.kind, name: principals.name, email: principals.email },
    })
    .from(apiKeys)
    .innerJoin(principals, and(eq(principals.tenantId, apiKeys.tenantId), eq(principals.id, apiKeys.createdBy)))
    .where(and(tx.inTenant(apiKeys), where))
    .orderBy(orderBy)
    .limit(limit)
}

export const findApiKeys = (tx: Transaction, ids: readonly string[]): Promise<ApiKey[]> =>
  selectApiKeys(tx, isAnyOf(apiKeys.id, ids), undefined, ids.length)

const newestFirst: Order = {
  list: 'apiKeys',
  kinds: ['time', 'uuid'],
  columns: [apiKeys.createdAt, apiKeys.id],
  descending: true,
}

/** The tenant's keys, revoked and expired ones included, newest first. */
export async function listApiKeys(ctx: Context, args: PageArguments): Promise<Page<ApiKey>> {
  const page = pageRequest(newestFirst, args)
  const rows = await readingOnce(ctx, (tx) => selectApiKeys(tx, page.where, page.orderBy, page.limit))
  return page.toConnection(rows, (key) => [key.createdAt, key.id])
}
