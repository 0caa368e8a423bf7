import { type Context, readingOnce } from '../../context.ts'

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
