import { and, eq } from 'drizzle-orm'
import { readDatabaseClock } from '../../database/databaseClock.ts'
import { blobs } from '../../database/tables/fileTables.ts'
import { uploads } from '../../database/tables/uploadTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { atOnce } from '../atOnce.ts'
import { type Actor, recordChange, recordEvents } from '../audit/recordChange.ts'
import { later } from '../later.ts'
import { changeUsage } from '../tenants/usage.ts'
import type { Upload } from './findUploads.ts'

export interface Ending {
  readonly state: 'CANCELLED' | 'EXPIRED'
  readonly action: 'upload_intent.cancelled' | 'upload_intent.expired' | 'upload_intent.refused'
  readonly refusal?: string
}

/**
 * Ends a pending intent without a file: its space is given back and its bytes, if any came, are released to the purge.
 * One statement decides who ends it; false when somebody else was first.
 */
export async function releaseUpload(
  tx: Transaction,
  by: Actor,
  upload: Pick<Upload, 'id' | 'blobId' | 'name' | 'byteSize'>,
  ending: Ending,
): Promise<boolean> {
  const now = by.now()
  const [ended, databaseNow] = await atOnce(
    () =>
      tx.db
        .update(uploads)
        .set({ state: ending.state, finishedAt: now, refusal: ending.refusal ?? null })
        .where(and(tx.mine(uploads), eq(uploads.id, upload.id), eq(uploads.state, 'PENDING')))
        .returning({ id: uploads.id }),
    () => readDatabaseClock(tx),
  )
  if (ended.length === 0) return false
  const { id, name, blobId } = upload
  await atOnce(
    () =>
      tx.db
        .update(blobs)
        .set({ status: 'deleting', deletingSince: later(now, databaseNow) })
        .where(and(tx.mine(blobs), eq(blobs.id, blobId), eq(blobs.status, 'pending'), eq(blobs.refcount, 0))),
    () => changeUsage(tx, { reservedBytes: -upload.byteSize }),
    () => recordChange(tx, by, ending.action, { id, name, payload: ending.refusal ? { reason: ending.refusal } : {} }),
    // The purge believes nothing but this: the transaction that let go of the bytes says so.
    () =>
      recordEvents(tx, now, [
        { type: 'blob.released', subjectType: 'blob', subjectId: blobId, payload: { uploadId: id } },
      ]),
  )
  return true
}
