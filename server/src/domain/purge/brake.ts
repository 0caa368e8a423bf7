import { and, type SQL, sql } from 'drizzle-orm'
import { blobs } from '../../database/tables/fileTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { type Run, RunEnded, type SweepContext } from '../cleanup/recordRun.ts'
import { atOnce } from '../atOnce.ts'
import { reading } from '../context.ts'

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
    const counts = await atOnce(...due.map((where) => () => countBlobs(tx, where, bound)))
    const counted = counts.reduce((sum, count) => sum + count, 0)
    // The whole tenant is counted only where that can matter.
    return { dueCount: counted, allCount: counted > fewObjects ? await countBlobs(tx, undefined, null) : null }
  })
  refuseBeyondBrake(ctx, dueCount, allCount)
}

/** The same for a number that is known already; `allCount` null is a tenant of whatever size. */
export function refuseBeyondBrake({ settings }: SweepContext, dueCount: number, allCount: number | null): void {
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
    .where(and(tx.mine(blobs), where))
  const some = (bound === null ? selected : selected.limit(bound)).as('some')
  const [row] = await tx.db.select({ value: sql<string>`count(*)` }).from(some)
  return Number(row?.value ?? 0)
}
