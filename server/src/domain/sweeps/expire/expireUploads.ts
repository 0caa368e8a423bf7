import { and, lte } from 'drizzle-orm'
import { isState } from '../../../database/conditions.ts'
import { databaseClock } from '../../../database/lockRows.ts'
import { uploads } from '../../../database/tables/uploadTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { change, unchanged } from '../../change.ts'
import { reading } from '../../context.ts'
import { limits } from '../../limits.ts'
import { releaseUploads } from '../../uploads/intents/releaseUpload.ts'
import type { Run, SweepContext } from '../runs/recordRun.ts'

/**
 * Ends the expired intents of one tenant, in batches. Several workers can run it at once, because each skips rows that
 * another has locked.
 */
export async function sweepExpiredUploads(ctx: SweepContext, { tally, isDryRun }: Run): Promise<void> {
  for (;;) {
    const ended = await change(ctx, async (tx) => {
      const due = await selectDue(tx, ctx.now()).for('update', { skipLocked: true })
      if (isDryRun) return unchanged(due)
      return releaseUploads(tx, ctx, due, { state: 'EXPIRED', action: 'upload_intent.expired' })
    })
    for (const { id: key, byteSize } of ended) {
      tally.examined += 1
      tally.addDeleted({ key, byteSize })
    }
    if (isDryRun || ended.length < limits.expiredUploadsPerBatch) return
  }
}

export async function hasExpiredUploads(ctx: SweepContext): Promise<boolean> {
  const due = await reading(ctx, (tx) => selectDue(tx, ctx.now()).limit(1))
  return due.length > 0
}

/** Due by both clocks, so that a fast clock ends no upload early. */
const selectDue = (tx: Transaction, now: Date) =>
  tx.db
    .select({
      id: uploads.id,
      blobId: uploads.blobId,
      name: uploads.declaredName,
      byteSize: uploads.declaredByteSize,
    })
    .from(uploads)
    .where(
      and(
        tx.inTenant(uploads),
        isState(uploads.state, 'PENDING'),
        lte(uploads.expiresAt, now),
        lte(uploads.expiresAt, databaseClock),
      ),
    )
    .orderBy(uploads.expiresAt)
    .limit(limits.expiredUploadsPerBatch)
    .$dynamic()
