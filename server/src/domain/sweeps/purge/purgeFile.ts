import { and, eq, sql } from 'drizzle-orm'
import { isAnyOf, isState, uuidArray } from '../../../database/conditions.ts'
import { lockRows } from '../../../database/lockRows.ts'
import { blobs, fileVersions, files } from '../../../database/tables/fileTables.ts'
import { uploads } from '../../../database/tables/uploadTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { type ChangeRecord, type Changed, change, unchanged } from '../../change.ts'
import { latest } from '../../clocks.ts'
import type { Context } from '../../context.ts'
import { attachmentsOfFile } from '../../files/attachments/listAttachments.ts'
import { type LockedFile, lockFile, readFile, refuseIfHeld } from '../../files/changeFile.ts'
import type { File } from '../../files/findFiles.ts'
import { type FileVersion, findVersions } from '../../files/listVersions.ts'
import { limits } from '../../limits.ts'
import { Conflict, FileInUse, NotFound } from '../../refusals.ts'
import { enqueueJob } from '../runs/requestRun.ts'

/**
 * Purges files in the trash: deletes their versions and releases blobs without references, with one UPDATE and one
 * event per blob. The bucket is not touched. The caller must hold the locks of the files.
 */
export async function purgeFileRows(
  tx: Transaction,
  { now: clock }: Pick<Context, 'now'>,
  doomed: readonly LockedFile[],
): Promise<Changed<void>> {
  const [first] = doomed
  if (!first) return unchanged(undefined)
  const now = clock()
  const ids = doomed.map(({ id }) => id)
  const versions = await tx.db
    .delete(fileVersions)
    .where(and(tx.inTenant(fileVersions), isAnyOf(fileVersions.fileId, ids)))
    .returning({ fileId: fileVersions.fileId, blobId: fileVersions.blobId, byteSize: fileVersions.byteSize })
  const released = await dropReferences(tx, versions, latest(now, first.databaseNow))
  await tx.db
    .update(files)
    .set({ purgedAt: now, updatedAt: now })
    .where(and(tx.inTenant(files), isAnyOf(files.id, ids)))
  return {
    answer: undefined,
    records: [...released.map(releaseOf), ...doomed.map((file) => purgeOf(file, versions))],
    usage: {
      trashedCount: -ids.length,
      versionCount: -versions.length,
      storedBytes: -sumOfBytes(versions),
      // Released bytes stay in the bucket until the second phase and count against the quota until then.
      reservedBytes: sumOfBytes(released),
    },
  }
}

const sumOfBytes = (some: readonly { readonly byteSize: number }[]) =>
  some.reduce((sum, { byteSize }) => sum + byteSize, 0)

const releaseOf = ({ blobId, fileId }: GoneVersion): ChangeRecord => ({
  action: 'blob.released',
  id: blobId,
  name: null,
  payload: { fileId },
})

const purgeOf = ({ id, originalFileName: name }: LockedFile, versions: readonly GoneVersion[]): ChangeRecord => ({
  action: 'file.purged',
  id,
  name,
  payload: { versions: versions.filter(({ fileId }) => fileId === id).length },
})

interface GoneVersion {
  readonly fileId: string
  readonly blobId: string
}

interface ReleasedBlob extends GoneVersion {
  readonly byteSize: number
}

/** Returns the blobs whose last reference was dropped, each with a file that had it. */
async function dropReferences(tx: Transaction, versions: readonly GoneVersion[], now: Date): Promise<ReleasedBlob[]> {
  const fileOf = new Map(versions.map(({ blobId, fileId }) => [blobId, fileId]))
  const blobIds = [...fileOf.keys()]
  const counts = blobIds.map((id) => versions.filter(({ blobId }) => blobId === id).length)
  const at = sql`${now.toISOString()}::timestamptz`
  await lockRows(tx, blobs, blobIds)
  const changed = (await tx.db.execute(sql`
    update ${blobs} as b set
      refcount = b.refcount - gone.n,
      status = case when b.refcount = gone.n then 'deleting' else b.status end,
      deleting_since = case when b.refcount = gone.n then ${at} else b.deleting_since end
    from unnest(${uuidArray(blobIds)}, ${`{${counts.join(',')}}`}::integer[]) as gone(id, n)
    where b.tenant_id = ${tx.tenantId} and b.id = gone.id and b.status = 'ready'
    returning b.id, b.status, b.byte_size as "byteSize"`)) as unknown as {
    id: string
    status: string
    byteSize: string
  }[]
  if (changed.length !== blobIds.length) throw new Error('A version of the files lies in bytes that are not ready')
  return changed
    .filter(({ status }) => status === 'deleting')
    .map(({ id, byteSize }) => {
      const fileId = fileOf.get(id)
      if (fileId === undefined) throw new Error(`The blob ${id} was released and belongs to none of the versions`)
      return { blobId: id, fileId, byteSize: Number(byteSize) }
    })
}

/**
 * Purges a file in the trash before its time: it cannot be restored, and its bytes are released. Throws `Conflict` if
 * the file is not in the trash, is under hold, or has a pending upload.
 */
export async function purgeFile(
  ctx: Context,
  id: string,
): Promise<{ readonly file: File; readonly version: FileVersion }> {
  return change(ctx, async (tx) => {
    const locked = await lockFile(tx, id)
    await refuseUnlessPurgeable(tx, locked)
    const file = await readFile(tx, id)
    const [version] = await findVersions(tx, [{ fileId: id, version: file.version }])
    if (!version) throw new NotFound('file')
    const purged = await purgeFileRows(tx, ctx, [locked])
    await enqueueJob(tx, 'delete_blobs', { tenantId: tx.tenantId }, null)
    return { ...purged, answer: { file: { ...file, purgedAt: ctx.now() }, version } }
  })
}

async function refuseUnlessPurgeable(tx: Transaction, file: LockedFile): Promise<void> {
  // The rows are counted too, as in the scheduled purge, so that a wrong counter does not delete the versions of a file
  // in use.
  const attachments = await attachmentsOfFile(tx, file.id, limits.toldAttachments)
  const count = Math.max(file.attachmentCount, attachments.length)
  if (count > 0) throw new FileInUse(attachments, count)
  if (file.softDeletedAt === null) throw new Conflict('NOT_TRASHED', 'The file is not in the trash. Delete it first.')
  refuseIfHeld(file)
  if (await hasPendingIntent(tx, file.id))
    throw new Conflict('VERSION_PENDING', 'A new version of the file is being uploaded.')
}

/** True if a new version of the file is being uploaded. */
async function hasPendingIntent(tx: Transaction, fileId: string): Promise<boolean> {
  const found = await tx.db
    .select({ id: uploads.id })
    .from(uploads)
    .where(and(tx.inTenant(uploads), eq(uploads.targetFileId, fileId), isState(uploads.state, 'PENDING')))
    .limit(1)
  return found.length > 0
}
