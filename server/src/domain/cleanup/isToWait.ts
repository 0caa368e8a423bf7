import { and, desc, eq, isNotNull } from 'drizzle-orm'
import { cleanupRuns } from '../../database/tables/cleanupTables.ts'
import { reading } from '../context.ts'
import type { CleanupKind, SweepContext } from './recordRun.ts'

const longestWaitMinutes = 15

/**
 * Whether the last runs of a kind did not come to their end, and the next should not be made yet: 1 minute after the
 * first of them, twice as long after each further one, at most 15. A run that is asked for does not wait.
 */
export async function isToWait(ctx: SweepContext, kind: CleanupKind): Promise<boolean> {
  const last = await reading(ctx, (tx) =>
    tx.db
      .select({ state: cleanupRuns.state, finishedAt: cleanupRuns.finishedAt })
      .from(cleanupRuns)
      .where(and(tx.mine(cleanupRuns), eq(cleanupRuns.kind, kind), isNotNull(cleanupRuns.finishedAt)))
      .orderBy(desc(cleanupRuns.createdAt), desc(cleanupRuns.id))
      .limit(6),
  )
  const done = last.findIndex(({ state }) => state === 'DONE')
  const failures = done < 0 ? last.length : done
  const ended = last[0]?.finishedAt
  if (failures === 0 || !ended) return false
  const minutes = Math.min(2 ** (failures - 1), longestWaitMinutes)
  return ctx.now().getTime() < ended.getTime() + minutes * 60_000
}
