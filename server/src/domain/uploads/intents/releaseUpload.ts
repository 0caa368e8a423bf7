import { and, eq } from 'drizzle-orm'
import { isAnyOf, isState } from '../../../database/conditions.ts'
import { readDatabaseClock } from '../../../database/lockRows.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import { uploads } from '../../../database/tables/uploadTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { change, type Changed, type ChangeRecord, unchanged } from '../../change.ts'
import { latest } from '../../clocks.ts'
import type { Context } from '../../context.ts'
import { Conflict, NotFound } from '../../refusals.ts'
import { together } from '../../together.ts'
import { type Upload, findUploads } from './findUploads.ts'

interface Ending {
  readonly state: 'CANCELLED' | 'EXPIRED'
  readonly action: 'upload_intent.cancelled' | 'upload_intent.expired' | 'upload_intent.refused'
  readonly refusal?: string
}

type Ended = Pick<Upload, 'id' | 'blobId' | 'name'>

/**
 * Ends pending intents without a file and releases their bytes to the purge. Their space stays reserved until the purge
 * has deleted the bytes, because the upload URL can be valid for some minutes longer. Returns the intents that this
 * call ended: one statement decides who ends an intent. The caller must lock the rows of several intents. Every change
 * of a pending blob holds the lock of its intent.
 */
export async function releaseUploads<T extends Ended>(
  tx: Transaction,
  { now: clock }: Pick<Context, 'now'>,
  pending: readonly T[],
  ending: Ending,
): Promise<Changed<T[]>> {
  const now = clock()
  const ids = pending.map(({ id }) => id)
  const { changed, databaseNow } = await together({
    changed: () =>
      tx.db
        .update(uploads)
        .set({ state: ending.state, finishedAt: now, refusal: ending.refusal ?? null })
        .where(and(tx.inTenant(uploads), isAnyOf(uploads.id, ids), isState(uploads.state, 'PENDING')))
        .returning({ id: uploads.id }),
    databaseNow: () => readDatabaseClock(tx),
  })
  const endedIds = new Set(changed.map(({ id }) => id))
  const ended = pending.filter(({ id }) => endedIds.has(id))
  if (ended.length > 0) await releaseBytes(tx, ended, latest(now, databaseNow))
  return { answer: ended, records: ended.flatMap((one) => recordsOf(one, ending)) }
}

async function releaseBytes(tx: Transaction, ended: readonly Ended[], at: Date): Promise<void> {
  const blobIds = ended.map(({ blobId }) => blobId)
  await tx.db
    .update(blobs)
    .set({ status: 'deleting', deletingSince: at })
    .where(and(tx.inTenant(blobs), isAnyOf(blobs.id, blobIds), isState(blobs.status, 'pending'), eq(blobs.refcount, 0)))
}

/** The purge deletes released bytes only if the releasing transaction wrote this event. */
function recordsOf({ id, blobId, name }: Ended, { action, refusal }: Ending): ChangeRecord[] {
  return [
    { action, id, name, payload: refusal ? { reason: refusal } : {} },
    { action: 'blob.released', id: blobId, name: null, payload: { uploadId: id } },
  ]
}

const cancelled = { state: 'CANCELLED', action: 'upload_intent.cancelled' } as const

/** Cancels an upload intent. An intent that already ended without a file is returned unchanged. */
export async function cancelUpload(ctx: Context, id: string): Promise<Upload> {
  return change(ctx, async (tx) => {
    const [found] = await findUploads(tx, ctx, [id])
    if (!found) throw new NotFound('upload intent')
    const isPending = found.state === 'PENDING'
    const released = isPending ? await releaseUploads(tx, ctx, [found], cancelled) : unchanged([])
    const [upload] = await findUploads(tx, ctx, [id])
    if (!upload) throw new NotFound('upload intent')
    if (upload.state === 'COMMITTED')
      throw new Conflict('ALREADY_COMMITTED', 'The upload was committed already. Delete the file instead.')
    return { ...released, answer: upload }
  })
}
