import { and, desc, eq, gt, lte, ne } from 'drizzle-orm'
import { cleanupRuns } from '../../database/tables/cleanupTables.ts'
import { reading } from '../context.ts'
import type { Run, SweepContext } from '../cleanup/recordRun.ts'

const staleAfterMs = 24 * 3_600_000

/** Where the last reconcile stopped, if it did not come to its end within the last day; else null. */
export async function findUnfinishedPosition(ctx: SweepContext, run: Run): Promise<string | null> {
  if (run.isDryRun || run.isRequested) return null
  const now = ctx.now()
  const [last] = await reading(ctx, (tx) =>
    tx.db
      .select({ state: cleanupRuns.state, position: cleanupRuns.position })
      .from(cleanupRuns)
      .where(
        and(
          tx.mine(cleanupRuns),
          eq(cleanupRuns.kind, 'RECONCILE'),
          eq(cleanupRuns.isDryRun, false),
          ne(cleanupRuns.id, run.id),
          gt(cleanupRuns.createdAt, new Date(now.getTime() - staleAfterMs)),
          // One that a clock ahead of ours has made would be the last for days, whatever comes to its end meanwhile.
          lte(cleanupRuns.createdAt, now),
        ),
      )
      .orderBy(desc(cleanupRuns.createdAt), desc(cleanupRuns.id))
      .limit(1),
  )
  // One that was refused did not believe its listing: that begins again.
  return last?.state === 'FAILED' || last?.state === 'RUNNING' ? last.position : null
}
