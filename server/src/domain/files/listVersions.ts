import { and, eq, sql } from 'drizzle-orm'
import { uuidArray } from '../../database/conditions.ts'
import { blobs, fileVersions } from '../../database/tables/fileTables.ts'
import { principals } from '../../database/tables/identityTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { type Page, type PageArguments, pageRequest } from '../paging/page.ts'

/** One version of a file with its creator. */
export type FileVersion = Awaited<ReturnType<typeof selectVersions>>[number]

const columns = {
  fileId: fileVersions.fileId,
  number: fileVersions.version,
  name: fileVersions.originalFileName,
  contentType: fileVersions.contentType,
  byteSize: fileVersions.byteSize,
  createdAt: fileVersions.createdAt,
  createdBy: { id: principals.id, kind: principals.kind, name: principals.name, email: principals.email },
  objectKey: blobs.objectKey,
  sha256: blobs.sha256,
  quarantinedAt: blobs.quarantinedAt,
}

const selectVersions = (tx: Transaction) =>
  tx.db
    .select(columns)
    .from(fileVersions)
    .innerJoin(
      principals,
      and(eq(principals.tenantId, fileVersions.tenantId), eq(principals.id, fileVersions.createdBy)),
    )
    .innerJoin(blobs, and(eq(blobs.tenantId, fileVersions.tenantId), eq(blobs.id, fileVersions.blobId)))
    .$dynamic()

export interface VersionId {
  readonly fileId: string
  readonly version: number
}

/** Versions by file and number, in any order. */
export async function findVersions(tx: Transaction, ids: readonly VersionId[]): Promise<FileVersion[]> {
  const fileIds = uuidArray(ids.map((id) => id.fileId))
  const numbers = sql`${`{${ids.map((id) => id.version).join(',')}}`}::integer[]`
  return selectVersions(tx).where(
    and(
      tx.inTenant(fileVersions),
      sql`(${fileVersions.fileId}, ${fileVersions.version}) in (select * from unnest(${fileIds}, ${numbers}))`,
    ),
  )
}

/**
 * Reads the same page of versions, newest first, for each of several files in one statement. The versions of a list of
 * files cost one round trip. In the order of `fileIds`.
 */
export async function listVersions(
  tx: Transaction,
  fileIds: readonly string[],
  args: PageArguments,
): Promise<Page<FileVersion>[]> {
  const order = { list: 'versions', kinds: ['int'], columns: [fileVersions.version], descending: true } as const
  const page = pageRequest(order, args)
  const ofOneFile = sql`select ${fileVersions.fileId}, ${fileVersions.version} from ${fileVersions}
    where ${and(tx.inTenant(fileVersions), sql`${fileVersions.fileId} = wanted.id`, page.where)}
    order by ${page.orderBy} limit ${page.limit}`
  const ofEach = sql`select page.* from unnest(${uuidArray(fileIds)}) as wanted(id) cross join lateral (${ofOneFile}) as page`
  const rows = await selectVersions(tx)
    .where(and(tx.inTenant(fileVersions), sql`(${fileVersions.fileId}, ${fileVersions.version}) in (${ofEach})`))
    .orderBy(page.orderBy)
  return fileIds.map((id) => {
    const ofThis = rows.filter((row) => row.fileId === id)
    return page.toConnection(ofThis, (version) => [version.number])
  })
}
