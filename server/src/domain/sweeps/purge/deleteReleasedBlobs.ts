import { and, asc, isNotNull, isNull, lte, or, type SQL, sql } from 'drizzle-orm'
import { isState } from '../../../database/conditions.ts'
import { databaseClock, readDatabaseClock } from '../../../database/lockRows.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { earliest } from '../../clocks.ts'
import { reading } from '../../context.ts'
import { assertOwnBucket, isSettling } from '../../installation/bucketMarker.ts'
import { allTogether } from '../../together.ts'
import { pullBrake } from '../runs/rails.ts'
import type { Run, SweepContext } from '../runs/recordRun.ts'
import { deleteBlobs, type Sweep } from './deleteBlobs.ts'
import { allGates, type CutOff } from './gates.ts'

const batchBlobs = 500

/**
 * The second phase of the purge: deletes the objects of released blobs, then their rows. Continues where an earlier run
 * died.
 */
export async function deleteReleasedBlobs(ctx: SweepContext, run: Run): Promise<void> {
  await assertOwnBucket(ctx, run)
  const cutOff = await cutOffOf(ctx, run.before)
  const queues = run.isRequested ? [everything] : scheduled
  await pullBrake(
    ctx,
    run,
    queues.map((queue) => isDue(queue, cutOff)),
  )
  const sweep = { ctx, run, cutOff, gates: allGates }
  for (const queue of queues) await deleteQueue(sweep, queue)
}

async function deleteQueue(sweep: ReleasedSweep, queue: Queue): Promise<void> {
  for (let after: Place | null = null; ;) {
    const batch: Place[] = await reading(sweep.ctx, (tx) =>
      listDue(tx, sweep.cutOff, { queue, after, limit: batchBlobs }),
    )
    await deleteBlobs(
      sweep,
      batch.map(({ id }) => id),
    )
    const last = batch.at(-1)
    if (!last || batch.length < batchBlobs) return
    after = last
  }
}

/** True if a run would find work. Otherwise no run is made. */
export async function hasReleasedBlobs(ctx: SweepContext): Promise<boolean> {
  const cutOff = await cutOffOf(ctx, null)
  const hasDue = await reading(ctx, async (tx) => {
    const found = await allTogether(
      scheduled.map((queue) => () => listDue(tx, cutOff, { queue, after: null, limit: 1 })),
    )
    return found.flat().length > 0
  })
  // A run that may not delete yet would be recorded as refused every minute.
  return hasDue && !(await isSettling(ctx))
}

/** By the earlier clock. */
async function cutOffOf(ctx: SweepContext, before: Date | null): Promise<Due> {
  const graceMs = ctx.settings.purgeGraceMs
  const databaseNow = await reading(ctx, readDatabaseClock)
  const cooled = new Date(earliest(ctx.now(), databaseNow).getTime() - graceMs)
  return { releasedBefore: before === null ? cooled : earliest(cooled, before), graceMs, databaseNow }
}

type ReleasedSweep = Omit<Sweep, 'lease'> & { readonly cutOff: Due }

interface Due extends CutOff {
  /** A parameter, because Postgres does not use an index for a volatile function. */
  readonly databaseNow: Date
}

interface Place {
  readonly at: Date
  readonly id: string
}

/** A list of blobs with its own index, and the column that sorts it. */
interface Queue {
  readonly sortedBy: typeof blobs.deletingSince
  readonly where: (due: Due) => SQL | undefined
}

/** A requested run includes blobs that were postponed. */
const everything: Queue = { sortedBy: blobs.deletingSince, where: () => undefined }

/** When nothing is due, neither scans blobs that were postponed, however many there are. */
const scheduled: readonly Queue[] = [
  {
    sortedBy: blobs.purgeNotBefore,
    where: ({ databaseNow }) => and(isNotNull(blobs.purgeNotBefore), lte(blobs.purgeNotBefore, databaseNow)),
  },
  { sortedBy: blobs.deletingSince, where: () => isNull(blobs.purgeNotBefore) },
]

/** The blobs that a run examines. Only the gates decide whether a blob may be deleted. */
const isDue = ({ where }: Queue, due: Due): SQL | undefined =>
  and(
    isState(blobs.status, 'deleting'),
    where(due),
    lte(blobs.deletingSince, due.releasedBefore),
    or(isNull(blobs.purgeClaimedUntil), lte(blobs.purgeClaimedUntil, databaseClock)),
  )

async function listDue(
  tx: Transaction,
  cutOff: Due,
  { queue, after, limit }: { readonly queue: Queue; readonly after: Place | null; readonly limit: number },
): Promise<Place[]> {
  const { sortedBy } = queue
  const behind = after && sql`(${sortedBy}, ${blobs.id}) > (${after.at.toISOString()}::timestamptz, ${after.id}::uuid)`
  const rows = await tx.db
    .select({ at: sortedBy, id: blobs.id })
    .from(blobs)
    .where(and(tx.inTenant(blobs), isDue(queue, cutOff), behind ?? undefined))
    .orderBy(asc(sortedBy), asc(blobs.id))
    .limit(limit)
  return rows.map(({ at, id }) => ({ at: at ?? cutOff.releasedBefore, id }))
}
