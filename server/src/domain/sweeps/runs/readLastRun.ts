import { type Context, readingOnce } from '../../context.ts'
import type { CleanupKind } from './recordRun.ts'

/** What the latest run of a kind did. Undefined if there was none. */
export const readLastRun = (ctx: Context, kind: CleanupKind) =>
  readingOnce(ctx, (tx) =>
    tx.relational.cleanupRuns.findFirst({
      columns: { isDryRun: true, deleted: true, held: true },
      where: { tenantId: tx.tenantId, kind },
      orderBy: { createdAt: 'desc', id: 'desc' },
    }),
  )
