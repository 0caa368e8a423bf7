import { readDatabaseClock } from '../../database/databaseClock.ts'
import { recordChange } from '../audit/recordChange.ts'
import { type Context, inTransaction } from '../context.ts'
import { newId } from '../newId.ts'
import { Invalid } from '../refusals.ts'
import { enqueueJob } from './enqueueJob.ts'
import { type CleanupRun, findCleanupRuns } from './listCleanupRuns.ts'
import { type CleanupKind, insertRun, type RunOptions } from './recordRun.ts'

/**
 * Asks for a run now. The row is the request: the worker begins it at once where it hears of it, and within a minute
 * otherwise. Refuses with `Invalid` a cut-off in the future.
 */
export async function requestCleanup(ctx: Context, kind: CleanupKind, options: RunOptions): Promise<CleanupRun> {
  return inTransaction(ctx, async (tx) => {
    if (options.before !== null && options.before > (await readDatabaseClock(tx))) {
      throw new Invalid('before', 'This time is in the future.')
    }
    const id = newId(ctx.now())
    await insertRun(tx, ctx, { id, kind, state: 'QUEUED', ...options })
    const { isDryRun, exceedsBrake } = options
    const before = options.before?.toISOString() ?? null
    await recordChange(tx, ctx, 'cleanup.requested', { id, name: kind, payload: { isDryRun, before, exceedsBrake } })
    await enqueueJob(tx, 'run_cleanup', { tenantId: tx.tenantId }, null)
    const [run] = await findCleanupRuns(tx, [id])
    if (!run) throw new Error(`Cleanup run ${id} vanished inside its own transaction`)
    return run
  })
}
