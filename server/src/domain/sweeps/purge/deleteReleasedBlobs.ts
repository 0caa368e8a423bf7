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

/** The second phase of the purge: released bytes lose their object, then their row. Goes on where a run before it died. */
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

/** Whether there is anything to look at, so that a run that would find nothing is not made. */
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

/** By whichever clock is behind. */
async function cutOffOf(ctx: SweepContext, before: Date | null): Promise<Due> {
  const graceMs = ctx.settings.purgeGraceMs
  const databaseNow = await reading(ctx, readDatabaseClock)
  const cooled = new Date(earliest(ctx.now(), databaseNow).getTime() - graceMs)
  return { releasedBefore: before === null ? cooled : earliest(cooled, before), graceMs, databaseNow }
}

type ReleasedSweep = Omit<Sweep, 'lease'> & { readonly cutOff: Due }

interface Due extends CutOff {
  /** As a parameter: an index is not searched for what a volatile function returns. */
  readonly databaseNow: Date
}

interface Place {
  readonly at: Date
  readonly id: string
}

/** A list of blobs that has an index of its own, and the column that the list is sorted by. */
interface Queue {
  readonly sortedBy: typeof blobs.deletingSince
  readonly where: (due: Due) => SQL | undefined
}

/** What somebody asks for includes blobs that were postponed. */
const everything: Queue = { sortedBy: blobs.deletingSince, where: () => undefined }

/** In a minute in which nothing is due, neither walks past blobs that were postponed, however many. */
const scheduled: readonly Queue[] = [
  {
    sortedBy: blobs.purgeNotBefore,
    where: ({ databaseNow }) => and(isNotNull(blobs.purgeNotBefore), lte(blobs.purgeNotBefore, databaseNow)),
  },
  { sortedBy: blobs.deletingSince, where: () => isNull(blobs.purgeNotBefore) },
]

/** What a run will look at. Only where to look: whether a blob may go is decided by the gates alone. */
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
