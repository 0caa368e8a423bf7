import { and, type SQL, sql } from 'drizzle-orm'
import { onlyRow } from '../../../database/onlyRow.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { reading } from '../../context.ts'
import { allTogether } from '../../together.ts'
import { type Run, RunEnded, type SweepContext } from './recordRun.ts'

/** Below so many objects a share of them says nothing. */
const fewObjects = 1_000

/**
 * The rail around every run: one that would delete more than its bound, or more than its part of a tenant's objects, ends
 * with STOPPED before it deletes anything. A person has to look, and may ask for a run that exceeds it.
 *
 * `due` lists conditions that exclude each other: each is counted by an index of its own.
 */
export async function pullBrake(ctx: SweepContext, run: Run, due: readonly (SQL | undefined)[]): Promise<void> {
  if (run.isDryRun || run.exceedsBrake) return
  const { brakeObjects } = ctx.settings
  const bound = Math.max(brakeObjects, fewObjects) + 1
  const { dueCount, allCount } = await reading(ctx, async (tx) => {
    const counts = await allTogether(due.map((where) => () => countBlobs(tx, where, bound)))
    const counted = counts.reduce((sum, count) => sum + count, 0)
    // The whole tenant is counted only where that can matter.
    return { dueCount: counted, allCount: counted > fewObjects ? await countBlobs(tx, undefined, null) : null }
  })
  refuseBeyondBrake(ctx, dueCount, allCount)
}

/** The same for a number that is known already; `allCount` null is a tenant of whatever size. */
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

/** How long a run may take from claiming blobs to having deleted them. */
const leaseMs = 180_000

/** More than all attempts of one request to the bucket can take: nothing is sent that could arrive after the end. */
const slowestRequestMs = 60_000

/** A run was stopped or starved for so long that somebody else may have taken over: what it was about to do is not done. */
export class LeaseOver extends Error {
  override readonly name = 'LeaseOver'
}

export interface Lease {
  /** Until when nobody else may take what is claimed under it, by the database's clock. */
  until(databaseNow: Date): Date
  /** Has to be called right before each request that deletes. Throws `LeaseOver`. */
  assertHeld(): void
}

/** Measured by a clock that goes on while the process is stopped, and that nobody can set. */
export function takeLease(now: () => number = () => performance.now()): Lease {
  const taken = now()
  return {
    until: (databaseNow) => new Date(databaseNow.getTime() + leaseMs),
    assertHeld() {
      if (now() - taken > leaseMs - slowestRequestMs) throw new LeaseOver('The lease of this run is over')
    },
  }
}
