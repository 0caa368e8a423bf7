import { and, asc } from 'drizzle-orm'
import { isState } from '../../database/isState.ts'
import { cleanupRuns } from '../../database/tables/cleanupTables.ts'
import { reading } from '../context.ts'
import { type CleanupKind, type Outcome, runRequested, type SweepContext } from './recordRun.ts'
import { sweepOf } from './sweeps.ts'

/**
 * Makes the runs that somebody asked for, oldest first. Each is made by whoever claims it first. `tell` learns what came
 * of each that was made here.
 */
export async function runQueued(
  ctx: SweepContext,
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
      .where(and(tx.mine(cleanupRuns), isState(cleanupRuns.state, 'QUEUED')))
      .orderBy(asc(cleanupRuns.id)),
  )
  for (const { id, kind, ...options } of queued) {
    const outcome = await runRequested(ctx, id, options, sweepOf(kind).sweep)
    if (outcome) tell(kind, outcome)
  }
}
