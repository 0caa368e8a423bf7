import { and, eq } from 'drizzle-orm'
import { isAnyOf, isState } from '../../../database/conditions.ts'
import { readDatabaseClock } from '../../../database/lockRows.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import { uploads } from '../../../database/tables/uploadTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { atOnce } from '../../atOnce.ts'
import { later } from '../../clocks.ts'
import { type Context, inTransaction } from '../../context.ts'
import { type Actor, recordChanges, recordEvents } from '../../journal/recordChange.ts'
import { Conflict, NotFound } from '../../refusals.ts'
import { type Upload, findUploads } from './findUploads.ts'

interface Ending {
  readonly state: 'CANCELLED' | 'EXPIRED'
  readonly action: 'upload_intent.cancelled' | 'upload_intent.expired' | 'upload_intent.refused'
  readonly refusal?: string
}

type Ended = Pick<Upload, 'id' | 'blobId' | 'name'>

/**
 * Ends pending intents without a file and releases their bytes, if any came, to the purge. Their space stays reserved until
 * the purge has deleted them, since the upload address can work for some minutes longer. Returns those that it ended: one
 * statement decides who ends an intent. The rows of several have to be locked; nobody changes a pending blob without the
 * lock of its intent.
 */
export async function releaseUploads<T extends Ended>(
  tx: Transaction,
  by: Actor,
  pending: readonly T[],
  ending: Ending,
): Promise<T[]> {
  const now = by.now()
  const ids = pending.map(({ id }) => id)
  const [changed, databaseNow] = await atOnce(
    () =>
      tx.db
        .update(uploads)
        .set({ state: ending.state, finishedAt: now, refusal: ending.refusal ?? null })
        .where(and(tx.mine(uploads), isAnyOf(uploads.id, ids), isState(uploads.state, 'PENDING')))
        .returning({ id: uploads.id }),
    () => readDatabaseClock(tx),
  )
  const endedIds = new Set(changed.map(({ id }) => id))
  const ended = pending.filter(({ id }) => endedIds.has(id))
  if (ended.length > 0) await releaseBytes(tx, by, ended, { ...ending, at: later(now, databaseNow) })
  return ended
}

async function releaseBytes(
  tx: Transaction,
  by: Actor,
  ended: readonly Ended[],
  { at, ...ending }: Ending & { at: Date },
) {
  const blobIds = ended.map(({ blobId }) => blobId)
  const payload = ending.refusal ? { reason: ending.refusal } : {}
  await atOnce(
    () =>
      tx.db
        .update(blobs)
        .set({ status: 'deleting', deletingSince: at })
        .where(
          and(tx.mine(blobs), isAnyOf(blobs.id, blobIds), isState(blobs.status, 'pending'), eq(blobs.refcount, 0)),
        ),
    () =>
      recordChanges(
        tx,
        by,
        ending.action,
        ended.map(({ id, name }) => ({ id, name, payload })),
      ),
    // The purge believes only this: the transaction that released the bytes says so.
    () =>
      recordEvents(
        tx,
        by.now(),
        ended.map(({ id, blobId }) => ({
          type: 'blob.released',
          subjectType: 'blob',
          subjectId: blobId,
          payload: { uploadId: id },
        })),
      ),
  )
}

/** Takes an upload intent back. Cancelling what has ended without a file answers with the intent as it is. */
export async function cancelUpload(ctx: Context, id: string): Promise<Upload> {
  return inTransaction(ctx, async (tx) => {
    const [found] = await findUploads(tx, ctx, [id])
    if (!found) throw new NotFound('upload intent')
    if (found.state === 'PENDING') {
      await releaseUploads(tx, ctx, [found], { state: 'CANCELLED', action: 'upload_intent.cancelled' })
    }
    const [upload] = await findUploads(tx, ctx, [id])
    if (!upload) throw new NotFound('upload intent')
    if (upload.state === 'COMMITTED')
      throw new Conflict('ALREADY_COMMITTED', 'The upload was committed already. Delete the file instead.')
    return upload
  })
}
