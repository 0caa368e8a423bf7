import { and, eq, isNull, sql } from 'drizzle-orm'
import { isState } from '../../database/conditions.ts'
import { blobs, files, fileVersions } from '../../database/tables/fileTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { newId } from '../ids.ts'
import { Conflict } from '../refusals.ts'
import type { Upload } from './intents/findUploads.ts'
import type { ProvedContent } from './proof/proveContent.ts'

/** A version of a file, by its number. */
export type Place = { readonly fileId: string; readonly version: number }

/** The first version of a new file, or the next version of the target file. */
export const findPlace = async (tx: Transaction, upload: Upload, now: Date): Promise<Place> =>
  upload.targetFileId === null
    ? { fileId: newId(now), version: 1 }
    : takeNextPlace(tx, upload, upload.targetFileId, now)

export async function insertFile(
  tx: Transaction,
  upload: Upload,
  { fileId, version }: Place,
  now: Date,
): Promise<void> {
  await tx.db.insert(files).values({
    tenantId: tx.tenantId,
    id: fileId,
    currentVersion: version,
    uploadedBy: upload.createdBy.id,
    uploadedAt: now,
    updatedAt: now,
    retention: upload.retention,
    ...described(upload),
  })
}

/**
 * Updates the file to the name, type and size of its new version. The row lock makes the numbers gapless and unique.
 */
async function takeNextPlace(tx: Transaction, upload: Upload, fileId: string, now: Date): Promise<Place> {
  const [file] = await tx.db
    .update(files)
    .set({ currentVersion: sql`${files.currentVersion} + 1`, updatedAt: now, ...described(upload) })
    .where(and(tx.inTenant(files), eq(files.id, fileId), isNull(files.softDeletedAt)))
    .returning({ version: files.currentVersion })
  if (!file) throw new Conflict('TRASHED', 'The file is in the trash. Restore it, then commit again.')
  return { fileId, version: file.version }
}

const described = ({ name, contentType, byteSize }: Upload) => ({ originalFileName: name, contentType, byteSize })

/**
 * Marks the blob as ready. From now on only the purge can release it. Bytes without a SHA-256 were not read whole, so
 * the next verification reads them first.
 */
export async function keepBytes(tx: Transaction, upload: Upload, proved: ProvedContent, now: Date): Promise<void> {
  const { etag, sha256, contentType } = proved
  const kept = await tx.db
    .update(blobs)
    .set({ status: 'ready', refcount: 1, etag, sha256, contentType, ...(sha256 !== null && { verifiedAt: now }) })
    .where(and(tx.inTenant(blobs), eq(blobs.id, upload.blobId), isState(blobs.status, 'pending')))
    .returning({ id: blobs.id })
  if (kept.length === 0) throw new Error(`The blob of upload ${upload.id} was not pending any more`)
}

export async function insertVersion(
  tx: Transaction,
  upload: Upload,
  { fileId, version }: Place,
  now: Date,
): Promise<void> {
  await tx.db.insert(fileVersions).values({
    tenantId: tx.tenantId,
    fileId,
    version,
    blobId: upload.blobId,
    createdBy: upload.createdBy.id,
    createdAt: now,
    ...described(upload),
  })
}
