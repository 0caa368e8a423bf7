import { and, sql } from 'drizzle-orm'
import { isAnyOf, isState } from '../../../database/conditions.ts'
import { cleanupRuns } from '../../../database/tables/cleanupTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { writeInternal } from '../../change.ts'
import { type Context, systemId } from '../../context.ts'
import { limits } from '../../limits.ts'
import { silentSince } from './heartbeat.ts'
import type { SweepContext } from './recordRun.ts'
import { noteFailureIn } from './sweepSchedule.ts'

/**
 * Ends or queues the runs of a tenant whose worker has died. A requested run is queued again, unless too many workers have died
 * in it. A run of the schedule fails, and the schedule makes the next one.
 */
export const takeOverSilentRuns = (ctx: SweepContext): Promise<void> =>
  writeInternal(ctx, async (tx) => {
    const silent = await tx.db
      .select({
        id: cleanupRuns.id,
        kind: cleanupRuns.kind,
        requestedBy: cleanupRuns.requestedBy,
        interruptions: cleanupRuns.interruptions,
      })
      .from(cleanupRuns)
      .where(
        and(
          tx.inTenant(cleanupRuns),
          isState(cleanupRuns.state, 'RUNNING'),
          sql`${cleanupRuns.heartbeatAt} <= ${silentSince(ctx.settings)}`,
        ),
      )
      .orderBy(cleanupRuns.id)
      .for('update')
    const isTakenOver = ({ requestedBy, interruptions }: (typeof silent)[number]) =>
      requestedBy !== systemId && interruptions + 1 < limits.interruptionsPerRun
    const over = silent.filter((run) => !isTakenOver(run))
    await queueAgain(tx, silent.filter(isTakenOver))
    await endInterrupted(tx, ctx, over)
    for (const kind of new Set(over.map((run) => run.kind))) await noteFailureIn(tx, ctx, kind)
  })

async function queueAgain(tx: Transaction, runs: readonly { readonly id: string }[]): Promise<void> {
  if (runs.length === 0) return
  await tx.db
    .update(cleanupRuns)
    .set({ state: 'QUEUED', claim: null, interruptions: sql`${cleanupRuns.interruptions} + 1` })
    .where(isOneOf(tx, runs))
}

async function endInterrupted(
  tx: Transaction,
  { now }: Pick<Context, 'now'>,
  runs: readonly { readonly id: string }[],
): Promise<void> {
  if (runs.length === 0) return
  await tx.db
    .update(cleanupRuns)
    .set({ state: 'FAILED', claim: null, finishedAt: now(), message: 'Its process ended before it did.' })
    .where(isOneOf(tx, runs))
}

const isOneOf = (tx: Transaction, runs: readonly { readonly id: string }[]) =>
  and(
    tx.inTenant(cleanupRuns),
    isAnyOf(
      cleanupRuns.id,
      runs.map(({ id }) => id),
    ),
  )
