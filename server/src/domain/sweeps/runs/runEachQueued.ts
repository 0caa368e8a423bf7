import { and, asc, eq, ne } from 'drizzle-orm'
import { isState } from '../../../database/conditions.ts'
import { cleanupRuns } from '../../../database/tables/cleanupTables.ts'
import { reading, systemId } from '../../context.ts'
import { type CleanupKind, continueRun, type Outcome, type RunWork, type SweepContext } from './recordRun.ts'
import { takeOverSilentRuns } from './takeOver.ts'

/**
 * Makes the runs that somebody asked for, by the sweep of each kind, and goes on with those whose worker died. The one that has
 * waited longest comes first. A run is made by the first process that claims it. `tell` is called with the outcome of each run
 * that was made here.
 */
export async function runEachQueued(
  ctx: SweepContext,
  sweepOf: (kind: CleanupKind) => RunWork,
  tell: (kind: CleanupKind, outcome: Outcome) => void = () => undefined,
): Promise<void> {
  await takeOverSilentRuns(ctx)
  const queued = await reading(ctx, (tx) =>
    tx.db
      .select({ id: cleanupRuns.id, kind: cleanupRuns.kind })
      .from(cleanupRuns)
      .where(and(tx.inTenant(cleanupRuns), isState(cleanupRuns.state, 'QUEUED'), ne(cleanupRuns.requestedBy, systemId)))
      .orderBy(asc(cleanupRuns.heartbeatAt), asc(cleanupRuns.id)),
  )
  for (const { id, kind } of queued) {
    const outcome = await continueRun(ctx, id, sweepOf(kind))
    if (outcome) tell(kind, outcome)
  }
}

/** The run of the schedule that waits for its next turn. Null if there is none. */
export async function findUnfinishedRun(ctx: SweepContext, kind: CleanupKind): Promise<string | null> {
  const [found] = await reading(ctx, (tx) =>
    tx.db
      .select({ id: cleanupRuns.id })
      .from(cleanupRuns)
      .where(
        and(
          tx.inTenant(cleanupRuns),
          eq(cleanupRuns.kind, kind),
          isState(cleanupRuns.state, 'QUEUED'),
          eq(cleanupRuns.requestedBy, systemId),
        ),
      )
      .limit(1),
  )
  return found?.id ?? null
}
