import { and, eq, type SQL, sql } from 'drizzle-orm'
import { isState } from '../../../database/conditions.ts'
import { cleanupRuns } from '../../../database/tables/cleanupTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { writeInternal } from '../../change.ts'
import type { Context } from '../../context.ts'
import type { CleanupSettings } from './settings.ts'

/** A run, and the worker that has it. */
export interface ClaimedRun {
  readonly id: string
  readonly claim: string
}

/** Writes a heartbeat at intervals, also while the run waits for the bucket. Returns a function that stops the heartbeat. */
export function keepAlive(ctx: Context & { readonly settings: CleanupSettings }, run: ClaimedRun): () => void {
  let isBeating = false
  const beat = async () => {
    if (isBeating) return
    isBeating = true
    // A failed heartbeat does not end the run. The next one can reach the database.
    await writeInternal(ctx, (tx) =>
      tx.db
        .update(cleanupRuns)
        .set({ heartbeatAt: sql`now()` })
        .where(isHeldBy(tx, run)),
    ).catch(() => undefined)
    isBeating = false
  }
  const timer = setInterval(() => void beat(), ctx.settings.heartbeatMs)
  return () => clearInterval(timer)
}

/** Matches the run as long as no other worker has taken it over. */
export const isHeldBy = (tx: Transaction, { id, claim }: ClaimedRun): SQL | undefined =>
  and(
    tx.inTenant(cleanupRuns),
    eq(cleanupRuns.id, id),
    isState(cleanupRuns.state, 'RUNNING'),
    sql`${cleanupRuns.claim} = ${claim}::uuid`,
  )

/**
 * A run whose last heartbeat is older has lost its worker. Heartbeats are written and compared by the clock of the database, so
 * the clocks of workers can differ.
 */
export const silentSince = ({ silentMs }: Pick<CleanupSettings, 'silentMs'>): SQL =>
  sql`now() - ${silentMs}::integer * interval '1 millisecond'`

/** Whether a worker is making a run of the kind. */
export async function hasLivingRun(
  tx: Transaction,
  settings: CleanupSettings,
  kind: (typeof cleanupRuns.$inferSelect)['kind'],
): Promise<boolean> {
  const living = await tx.db
    .select({ id: cleanupRuns.id })
    .from(cleanupRuns)
    .where(
      and(
        tx.inTenant(cleanupRuns),
        eq(cleanupRuns.kind, kind),
        isState(cleanupRuns.state, 'RUNNING'),
        sql`${cleanupRuns.heartbeatAt} > ${silentSince(settings)}`,
      ),
    )
    .limit(1)
  return living.length > 0
}
