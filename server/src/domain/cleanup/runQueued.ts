import { and, asc, eq } from 'drizzle-orm'
import { cleanupRuns } from '../../database/cleanupTables.ts'
import { reading } from '../context.ts'
import { runRequested, type SweepContext } from './recordRun.ts'
import { sweepOf } from './sweeps.ts'

/** Makes the runs that somebody asked for, oldest first. Each is made by whoever claims it first. */
export async function runQueued(ctx: SweepContext): Promise<void> {
  const queued = await reading(ctx, (tx) =>
    tx.db
      .select({
        id: cleanupRuns.id,
        kind: cleanupRuns.kind,
        isDryRun: cleanupRuns.isDryRun,
        before: cleanupRuns.before,
        exceedsBrake: cleanupRuns.exceedsBrake,
      })
      .from(cleanupRuns)
      .where(and(tx.mine(cleanupRuns), eq(cleanupRuns.state, 'QUEUED')))
      .orderBy(asc(cleanupRuns.id)),
  )
  for (const { id, kind, ...options } of queued) await runRequested(ctx, id, options, sweepOf(kind).sweep)
}
