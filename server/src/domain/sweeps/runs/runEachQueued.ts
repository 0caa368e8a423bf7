import { and, asc, desc, eq, isNotNull } from 'drizzle-orm'
import { isState } from '../../../database/conditions.ts'
import { cleanupRuns } from '../../../database/tables/cleanupTables.ts'
import { reading } from '../../context.ts'
import { type CleanupKind, type Outcome, runRequested, type RunWork, type SweepContext } from './recordRun.ts'

/**
 * Makes the runs that somebody asked for, oldest first, by the sweep of each kind. A run is made by the first process that
 * claims it. `tell` is called with the outcome of each run that was made here.
 */
export async function runEachQueued(
  ctx: SweepContext,
  sweepOf: (kind: CleanupKind) => RunWork,
  tell: (kind: CleanupKind, outcome: Outcome) => void = () => undefined,
): Promise<void> {
  const queued = await reading(ctx, (tx) =>
    tx.db
      .select({
        id: cleanupRuns.id,
        kind: cleanupRuns.kind,
        isDryRun: cleanupRuns.isDryRun,
        before: cleanupRuns.before,
        exceedsBrake: cleanupRuns.exceedsBrake,
        includesForeign: cleanupRuns.includesForeign,
      })
      .from(cleanupRuns)
      .where(and(tx.inTenant(cleanupRuns), isState(cleanupRuns.state, 'QUEUED')))
      .orderBy(asc(cleanupRuns.id)),
  )
  for (const { id, kind, ...options } of queued) {
    const outcome = await runRequested(ctx, id, options, sweepOf(kind))
    if (outcome) tell(kind, outcome)
  }
}

const longestWaitMinutes = 15

/**
 * Whether the last runs of a kind did not come to their end, and the next should not be made yet: 1 minute after the
 * first of them, twice as long after each further one, at most 15. A run that is asked for does not wait.
 */
export async function isInBackoff(ctx: SweepContext, kind: CleanupKind): Promise<boolean> {
  const last = await reading(ctx, (tx) =>
    tx.db
      .select({ state: cleanupRuns.state, finishedAt: cleanupRuns.finishedAt })
      .from(cleanupRuns)
      .where(and(tx.inTenant(cleanupRuns), eq(cleanupRuns.kind, kind), isNotNull(cleanupRuns.finishedAt)))
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
