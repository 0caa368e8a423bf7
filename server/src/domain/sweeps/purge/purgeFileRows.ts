import { and, sql } from 'drizzle-orm'
import { isAnyOf, uuidArray } from '../../../database/conditions.ts'
import { lockRows } from '../../../database/lockRows.ts'
import { blobs, files, fileVersions } from '../../../database/tables/fileTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { later } from '../../clocks.ts'
import type { LockedFile } from '../../files/changeFile.ts'
import { type Actor, recordChanges, recordEvents } from '../../journal/recordChange.ts'
import { changeUsage } from '../../tenants/usage.ts'

/**
 * Ends files in the trash for good: their versions go, and bytes that nothing refers to any more are released, by one
 * UPDATE and with an event for each blob. The bucket is not touched. The rows of the files have to be locked.
 */
export async function letGoOfFiles(tx: Transaction, by: Actor, doomed: readonly LockedFile[]): Promise<void> {
  const [first] = doomed
  if (!first) return
  const now = by.now()
  const ids = doomed.map(({ id }) => id)
  const versions = await tx.db
    .delete(fileVersions)
    .where(and(tx.mine(fileVersions), isAnyOf(fileVersions.fileId, ids)))
    .returning({ fileId: fileVersions.fileId, blobId: fileVersions.blobId, byteSize: fileVersions.byteSize })
  const released = await dropReferences(tx, versions, later(now, first.databaseNow))
  await recordEvents(
    tx,
    now,
    released.map(({ blobId, fileId }) => ({
      type: 'blob.released',
      subjectType: 'blob',
      subjectId: blobId,
      payload: { fileId },
    })),
  )
  await tx.db
    .update(files)
    .set({ purgedAt: now, updatedAt: now })
    .where(and(tx.mine(files), isAnyOf(files.id, ids)))
  const storedBytes = versions.reduce((sum, { byteSize }) => sum + byteSize, 0)
  // Released bytes lie in the bucket until the second phase: until then they count against the quota.
  const reservedBytes = released.reduce((sum, { byteSize }) => sum + byteSize, 0)
  const counts = { trashedCount: -ids.length, versionCount: -versions.length }
  await changeUsage(tx, { ...counts, storedBytes: -storedBytes, reservedBytes })
  await recordChanges(
    tx,
    by,
    'file.purged',
    doomed.map(({ id, originalFileName: name }) => ({
      id,
      name,
      payload: { versions: versions.filter(({ fileId }) => fileId === id).length },
    })),
  )
}

interface GoneVersion {
  readonly fileId: string
  readonly blobId: string
}

interface ReleasedBlob extends GoneVersion {
  readonly byteSize: number
}

/** Answers with the blobs whose last reference went, and a file that held each. */
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
    .map(({ id, byteSize }) => ({ blobId: id, fileId: fileOf.get(id) ?? '', byteSize: Number(byteSize) }))
}
