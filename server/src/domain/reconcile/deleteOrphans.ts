import { and, asc, eq, gt, lte, sql } from 'drizzle-orm'
import { readDatabaseClock } from '../../database/databaseClock.ts'
import { orphanObjects } from '../../database/tables/cleanupTables.ts'
import { blobs } from '../../database/tables/fileTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { recordChanges } from '../audit/recordChange.ts'
import type { Run, SweepContext } from '../cleanup/recordRun.ts'
import { inTransaction, reading } from '../context.ts'
import { inParallel } from '../inParallel.ts'
import { earlier } from '../later.ts'
import { refuseBeyondBrake } from '../purge/brake.ts'
import { takeLease } from '../purge/lease.ts'

const batchObjects = 500
const requestsAtOnce = 16

type Orphan = typeof orphanObjects.$inferSelect

/**
 * Deletes objects that no row knows and that have been watched for the grace period, if the run under way has listed them
 * itself. Each is looked at again right before: no row by now, and the same bytes as when the watch began.
 */
export async function deleteOrphans(ctx: SweepContext, run: Run): Promise<void> {
  const { watchedSince, dueCount, youngCount } = await countOrphans(ctx, run)
  if (youngCount > 0) run.tally.held['GRACE'] = youngCount
  if (run.isDryRun) {
    run.tally.deleted = dueCount
    return
  }
  if (!run.exceedsBrake) refuseBeyondBrake(ctx, dueCount, run.tally.examined)
  for (let after = ''; ;) {
    const batch = await reading(ctx, (tx) => listDue(tx, run, watchedSince, after))
    await deleteBatch(ctx, run, batch)
    const last = batch.at(-1)
    if (!last || batch.length < batchObjects) break
    after = last.objectKey
  }
  await forgetGone(ctx, run)
}

async function deleteBatch(ctx: SweepContext, run: Run, batch: readonly Orphan[]): Promise<void> {
  const lease = takeLease()
  const checked = await inParallel(batch, requestsAtOnce, async (orphan) => {
    const stored = await ctx.blobs.head(orphan.objectKey)
    return stored !== null && stored.etag === orphan.etag && stored.byteSize === orphan.byteSize
  })
  const same = batch.filter((_orphan, at) => checked[at])
  const owned = await reading(ctx, (tx) => listOwned(tx, same))
  const doomed = same.filter(({ objectKey }) => !owned.has(objectKey))
  lease.assertHeld()
  const { failed } = await ctx.blobs.delete(doomed.map(({ objectKey }) => objectKey))
  const refused = new Set(failed.map(({ key }) => key))
  const gone = doomed.filter(({ objectKey }) => !refused.has(objectKey))
  for (const { objectKey: key, byteSize } of gone) run.tally.addDeleted({ key, byteSize })
  for (const { objectKey: key, byteSize } of doomed) {
    if (refused.has(key)) run.tally.addHeld('STORE', { key, byteSize })
  }
  await inTransaction(ctx, (tx) => recordGone(tx, ctx, gone))
}

async function recordGone(tx: Transaction, ctx: SweepContext, gone: readonly Orphan[]): Promise<void> {
  for (const { objectKey } of gone) {
    await tx.db.delete(orphanObjects).where(and(tx.mine(orphanObjects), eq(orphanObjects.objectKey, objectKey)))
  }
  await recordChanges(
    tx,
    ctx,
    'orphan.deleted',
    gone.map(({ objectKey, byteSize }) => ({ id: tx.tenantId, name: null, payload: { objectKey, byteSize } })),
  )
}

/** Those that have a row by now, however that came to be. */
async function listOwned(tx: Transaction, orphans: readonly Orphan[]): Promise<ReadonlySet<string>> {
  const keys = orphans.map(({ objectKey }) => objectKey)
  const rows = await tx.db
    .select({ objectKey: blobs.objectKey })
    .from(blobs)
    .where(and(tx.mine(blobs), sql`${blobs.objectKey} = any(${sql.param(keys)}::text[])`))
  return new Set(rows.map(({ objectKey }) => objectKey))
}

const listDue = (tx: Transaction, run: Run, watchedSince: Date, after: string): Promise<Orphan[]> =>
  tx.db
    .select()
    .from(orphanObjects)
    .where(
      and(
        tx.mine(orphanObjects),
        eq(orphanObjects.seenByRun, run.id),
        lte(orphanObjects.firstSeenAt, watchedSince),
        gt(orphanObjects.objectKey, after),
      ),
    )
    .orderBy(asc(orphanObjects.objectKey))
    .limit(batchObjects)

/** In a dry run nothing was noted: what earlier runs have seen is told. */
async function countOrphans(ctx: SweepContext, run: Run) {
  return reading(ctx, async (tx) => {
    const now = earlier(ctx.now(), await readDatabaseClock(tx))
    const watchedSince = new Date(now.getTime() - ctx.settings.orphanGraceMs)
    const isDue = sql`${orphanObjects.firstSeenAt} <= ${watchedSince.toISOString()}::timestamptz`
    const [counts] = await tx.db
      .select({
        due: sql`count(*) filter (where ${isDue})`.mapWith(Number),
        young: sql`count(*) filter (where not ${isDue})`.mapWith(Number),
      })
      .from(orphanObjects)
      .where(and(tx.mine(orphanObjects), run.isDryRun ? undefined : eq(orphanObjects.seenByRun, run.id)))
    return { watchedSince, dueCount: counts?.due ?? 0, youngCount: counts?.young ?? 0 }
  })
}

/** What a whole listing did not show any more, somebody else has removed. */
async function forgetGone(ctx: SweepContext, run: Run): Promise<void> {
  const staleBefore = new Date(ctx.now().getTime() - 7 * 86_400_000)
  await inTransaction(ctx, (tx) =>
    tx.db
      .delete(orphanObjects)
      .where(
        and(
          tx.mine(orphanObjects),
          lte(orphanObjects.firstSeenAt, staleBefore),
          sql`${orphanObjects.seenByRun} <> ${run.id}::uuid`,
        ),
      ),
  )
}
