import { and, type SQL, sql } from 'drizzle-orm'
import { onlyRow } from '../../../database/onlyRow.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { reading } from '../../context.ts'
import { allTogether } from '../../together.ts'
import { type Run, RunEnded, type SweepContext } from './recordRun.ts'

/** With fewer objects, a share is not meaningful. */
const fewObjects = 1_000

/**
 * The brake of every run: a run that would delete more than its limit, or more than its share of a tenant's objects,
 * ends with STOPPED before it deletes anything. A person has to examine it, and can request a run that exceeds the
 * brake.
 *
 * The conditions in `due` must be disjoint. Each is counted by its own index.
 */
export async function pullBrake(ctx: SweepContext, run: Run, due: readonly (SQL | undefined)[]): Promise<void> {
  if (run.isDryRun || run.exceedsBrake) return
  const { brakeObjects } = ctx.settings
  const bound = Math.max(brakeObjects, fewObjects) + 1
  const { dueCount, allCount } = await reading(ctx, async (tx) => {
    const counts = await allTogether(due.map((where) => () => countBlobs(tx, where, bound)))
    const counted = counts.reduce((sum, count) => sum + count, 0)
    // The whole tenant is counted only if that can matter.
    return { dueCount: counted, allCount: counted > fewObjects ? await countBlobs(tx, undefined, null) : null }
  })
  refuseBeyondBrake(ctx, dueCount, allCount)
}

/** Applies the brake to a known count. With `allCount` null, only the absolute limit applies. */
export function refuseBeyondBrake(
  { settings }: Pick<SweepContext, 'settings'>,
  dueCount: number,
  allCount: number | null,
): void {
  const { brakeObjects, brakeShare } = settings
  if (dueCount > brakeObjects) {
    throw new RunEnded('STOPPED', `More than ${brakeObjects} objects would be deleted, which is the bound of one run.`)
  }
  if (allCount !== null && dueCount > fewObjects && dueCount > allCount * brakeShare) {
    const part = Math.round(brakeShare * 100)
    throw new RunEnded('STOPPED', `${dueCount} of ${allCount} objects would be deleted: more than ${part} % of them.`)
  }
}

async function countBlobs(tx: Transaction, where: SQL | undefined, bound: number | null): Promise<number> {
  const selected = tx.db
    .select({ id: blobs.id })
    .from(blobs)
    .where(and(tx.inTenant(blobs), where))
  const some = (bound === null ? selected : selected.limit(bound)).as('some')
  return Number(onlyRow(await tx.db.select({ value: sql<string>`count(*)` }).from(some)).value)
}

/** The maximum time of a run between claiming blobs and deleting them. */
const leaseMs = 180_000

/** Longer than all attempts of one request to the bucket, so that no request can arrive after the lease. */
const slowestRequestMs = 60_000

/** The run was suspended for so long that another may have taken over. It must not continue. */
export class LeaseOver extends Error {
  override readonly name = 'LeaseOver'
}

export interface Lease {
  /** Until when no other run may claim the same blobs, by the database's clock. */
  until(databaseNow: Date): Date
  /** Must be called right before each request that deletes. Throws `LeaseOver`. */
  assertHeld(): void
}

/** Uses a monotonic clock, which advances while the process is suspended and cannot be set. */
export function takeLease(now: () => number = () => performance.now()): Lease {
  const taken = now()
  return {
    until: (databaseNow) => new Date(databaseNow.getTime() + leaseMs),
    assertHeld() {
      if (now() - taken > leaseMs - slowestRequestMs) throw new LeaseOver('The lease of this run is over')
    },
  }
}
