import { type SQL, sql, and, eq } from 'drizzle-orm'
import { isAnyOf } from '../../../database/conditions.ts'
import { databaseClock } from '../../../database/lockRows.ts'
import { attachments, files, blobs, fileVersions } from '../../../database/tables/fileTables.ts'
import { events } from '../../../database/tables/journalTables.ts'
import { uploads } from '../../../database/tables/uploadTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import type { BlobEvidence } from './gates.ts'

/** For a statement that reads `files`: the number of attachment rows of a file, independently of its counter. */
export const countedAttachments: SQL<number> = sql`(select count(*) from ${attachments}
  where ${attachments.tenantId} = ${files.tenantId} and ${attachments.fileId} = ${files.id})`

/** The number of pending uploads of a new version of the file. */
export const countedIntents: SQL<number> = sql`(select count(*) from ${uploads}
  where ${uploads.tenantId} = ${files.tenantId} and ${uploads.targetFileId} = ${files.id} and ${uploads.state} = 'PENDING')`

/**
 * Locks the blobs and reads the evidence of all gates, in five statements for any number of blobs. Blobs that another
 * run has locked, and unknown ids, are omitted.
 */
export async function readEvidence(tx: Transaction, ids: readonly string[]): Promise<BlobEvidence[]> {
  const locked = await tx.db
    .select({
      id: blobs.id,
      objectKey: blobs.objectKey,
      byteSize: blobs.byteSize,
      etag: blobs.etag,
      status: blobs.status,
      refcount: blobs.refcount,
      createdAt: blobs.createdAt,
      deletingSince: blobs.deletingSince,
      databaseNow: databaseClock,
    })
    .from(blobs)
    .where(and(tx.inTenant(blobs), isAnyOf(blobs.id, ids)))
    .orderBy(blobs.id)
    .for('update', { skipLocked: true })
  const lockedIds = locked.map(({ id }) => id)
  const versions = await readVersions(tx, lockedIds)
  const releases = await readReleases(tx, lockedIds)
  const commits = await readUploads(tx, lockedIds)
  const holders = [...versions, ...releases, ...commits].filter(({ fileId }) => fileId !== null)
  const uses = await readUses(tx, [...new Set(holders.map(({ fileId }) => String(fileId)))])
  return locked.map((blob) => {
    const ofBlob = <T extends { readonly blobId: string }>(rows: readonly T[]) =>
      rows.filter(({ blobId }) => blobId === blob.id)
    const fileIds = new Set(ofBlob(holders).map(({ fileId }) => String(fileId)))
    const used = uses.filter(({ fileId }) => fileIds.has(fileId))
    return {
      ...blob,
      versionCount: ofBlob(versions).length,
      releaseCount: ofBlob(releases).length,
      attachmentCount: used.reduce((sum, use) => sum + use.attachmentCount, 0),
      holdCount: used.filter((use) => use.heldAt !== null).length,
      pendingIntentCount:
        used.reduce((sum, use) => sum + use.pendingIntentCount, 0) +
        ofBlob(commits).filter(({ state }) => state === 'PENDING').length,
    }
  })
}

const readVersions = (tx: Transaction, ids: readonly string[]) =>
  tx.db
    .select({ blobId: fileVersions.blobId, fileId: fileVersions.fileId })
    .from(fileVersions)
    .where(and(tx.inTenant(fileVersions), isAnyOf(fileVersions.blobId, ids)))

/** The releases of the blobs. The journal names the file even after its versions are deleted. */
const readReleases = (tx: Transaction, ids: readonly string[]) =>
  tx.db
    .select({
      blobId: events.subjectId,
      fileId: sql<string | null>`${events.payload} ->> 'fileId'`,
    })
    .from(events)
    .where(and(tx.inTenant(events), isAnyOf(events.subjectId, ids), eq(events.type, 'blob.released')))

/** The intents that created the blobs. An intent that was never committed has no file. */
const readUploads = (tx: Transaction, ids: readonly string[]) =>
  tx.db
    .select({ blobId: uploads.blobId, fileId: uploads.fileId, state: uploads.state })
    .from(uploads)
    .where(and(tx.inTenant(uploads), isAnyOf(uploads.blobId, ids)))

const readUses = (tx: Transaction, fileIds: readonly string[]) =>
  tx.db
    .select({
      fileId: files.id,
      heldAt: files.heldAt,
      // The larger of counter and rows: either alone proves that the file is in use.
      attachmentCount: sql<number>`greatest(${files.attachmentCount}, ${countedAttachments})`.mapWith(Number),
      pendingIntentCount: countedIntents.mapWith(Number),
    })
    .from(files)
    .where(and(tx.inTenant(files), isAnyOf(files.id, fileIds)))
