import { and, sql } from 'drizzle-orm'
import { isAnyOf, uuidArray } from '../../../database/conditions.ts'
import { lockRows } from '../../../database/lockRows.ts'
import { blobs, files, fileVersions } from '../../../database/tables/fileTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { type Changed, type ChangeRecord, unchanged } from '../../change.ts'
import { latest } from '../../clocks.ts'
import type { Context } from '../../context.ts'
import type { LockedFile } from '../../files/changeFile.ts'

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
