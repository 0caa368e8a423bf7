import { and, asc, eq, isNull, lte, or, type SQL, sql } from 'drizzle-orm'
import { databaseClock, readDatabaseClock } from '../../database/databaseClock.ts'
import { blobs } from '../../database/tables/fileTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { reading } from '../context.ts'
import type { Run, SweepContext } from '../cleanup/recordRun.ts'
import { earlier } from '../later.ts'
import { assertOwnBucket } from '../reconcile/bucketMarker.ts'
import { pullBrake } from './brake.ts'
import { deleteBlobs } from './deleteBlobs.ts'
import type { CutOff } from './gates.ts'

const batchBlobs = 500

/** The second phase of the purge: released bytes lose their object, then their row. Goes on where a run before it died. */
export async function deleteReleasedBlobs(ctx: SweepContext, run: Run): Promise<void> {
  await assertOwnBucket(ctx)
  const cutOff = await cutOffOf(ctx, run.before)
  const due = dueBlobs(cutOff, run.isRequested)
  await pullBrake(ctx, run, due)
  for (let after: Place | null = null; ;) {
    const batch: Place[] = await reading(ctx, (tx) => listDue(tx, cutOff, due, after))
    const ids = batch.map(({ id }) => id)
    await deleteBlobs(ctx, run, ids, cutOff)
    const last = batch.at(-1)
    if (!last || batch.length < batchBlobs) return
    after = last
  }
}

/** Whether there is anything to look at, so that a run that would find nothing is not made. */
export async function hasReleasedBlobs(ctx: SweepContext): Promise<boolean> {
  const cutOff = await cutOffOf(ctx, null)
  const found = await reading(ctx, (tx) => listDue(tx, cutOff, dueBlobs(cutOff, false), null, 1))
  return found.length > 0
}

/** By whichever clock is behind. */
async function cutOffOf(ctx: SweepContext, before: Date | null): Promise<CutOff> {
  const graceMs = ctx.settings.purgeGraceMs
  const databaseNow = await reading(ctx, readDatabaseClock)
  const cooled = new Date(earlier(ctx.now(), databaseNow).getTime() - graceMs)
  return { releasedBefore: before === null ? cooled : earlier(cooled, before), graceMs }
}

interface Place {
  readonly since: Date
  readonly id: string
}

/** What a run will look at. Only where to look: whether a blob may go is decided by the gates alone. */
const dueBlobs = ({ releasedBefore }: CutOff, isRequested: boolean): SQL | undefined =>
  and(
    eq(blobs.status, 'deleting'),
    lte(blobs.deletingSince, releasedBefore),
    isRequested ? undefined : or(isNull(blobs.purgeNotBefore), lte(blobs.purgeNotBefore, databaseClock)),
    or(isNull(blobs.purgeClaimedUntil), lte(blobs.purgeClaimedUntil, databaseClock)),
  )

async function listDue(
  tx: Transaction,
  cutOff: CutOff,
  due: SQL | undefined,
  after: Place | null,
  limit = batchBlobs,
): Promise<Place[]> {
  const behind =
    after && sql`(${blobs.deletingSince}, ${blobs.id}) > (${after.since.toISOString()}::timestamptz, ${after.id}::uuid)`
  const rows = await tx.db
    .select({ since: blobs.deletingSince, id: blobs.id })
    .from(blobs)
    .where(and(tx.mine(blobs), due, behind ?? undefined))
    .orderBy(asc(blobs.deletingSince), asc(blobs.id))
    .limit(limit)
  return rows.map(({ since, id }) => ({ since: since ?? cutOff.releasedBefore, id }))
}
