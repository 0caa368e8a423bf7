import { and, eq, isNotNull, isNull, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { isAnyOf, textOfUuids } from '../../database/conditions.ts'
import { prepareStatement, type TenantScope } from '../../database/preparedStatement.ts'
import { blobs, files, fileVersions } from '../../database/tables/fileTables.ts'
import { principals, tenants } from '../../database/tables/identityTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { inOrder } from '../paging/page.ts'

const uploader = alias(principals, 'uploader')

/**
 * A file with its uploader, its current version's blob, and the policy values of its tenant: everything that a list of
 * files shows, read in one statement.
 */
export type File = Awaited<ReturnType<typeof selectFiles>>[number]

/** The order and the limit of the rows to read. */
export interface FileRows {
  readonly sortedBy: keyof typeof sortColumns
  readonly descending: boolean
  readonly limit: number | Placeholder
}

const sortColumns = { id: files.id, uploadedAt: files.uploadedAt, deletedAt: files.softDeletedAt }

/** Applies LIMIT in a subquery and joins outside it. Joining first can scan the whole tenant for one page. */
export function selectFiles(tx: TenantScope, where: SQL | undefined, { sortedBy, descending, limit }: FileRows) {
  const page = tx.db
    .select({
      id: files.id,
      name: files.originalFileName,
      contentType: files.contentType,
      byteSize: files.byteSize,
      version: files.currentVersion,
      uploadedById: files.uploadedBy,
      uploadedAt: files.uploadedAt,
      updatedAt: files.updatedAt,
      deletedAt: files.softDeletedAt,
      deletedById: files.softDeletedBy,
      attachmentCount: files.attachmentCount,
      retention: files.retention,
      heldAt: files.heldAt,
      heldById: files.heldBy,
      holdReason: files.holdReason,
      purgedAt: files.purgedAt,
    })
    .from(files)
    .where(and(tx.inTenant(files), where))
    .orderBy(inOrder([sortColumns[sortedBy], files.id], descending))
    .limit(limit)
    .as('page')
  return tx.db
    .select({
      ...page._.selectedFields,
      quarantinedAt: blobs.quarantinedAt,
      uploadedBy: { id: uploader.id, kind: uploader.kind, name: uploader.name, email: uploader.email },
      objectKey: blobs.objectKey,
      sha256: blobs.sha256,
      policy: { trashDays: tenants.trashDays, downloadMaxSeconds: tenants.downloadMaxSeconds },
    })
    .from(page)
    .innerJoin(uploader, and(tx.inTenant(uploader), eq(uploader.id, page.uploadedById)))
    .innerJoin(tenants, eq(tenants.id, uploader.tenantId))
    .innerJoin(
      fileVersions,
      and(
        eq(fileVersions.tenantId, uploader.tenantId),
        eq(fileVersions.fileId, page.id),
        eq(fileVersions.version, page.version),
      ),
    )
    .innerJoin(blobs, and(eq(blobs.tenantId, uploader.tenantId), eq(blobs.id, fileVersions.blobId)))
    .orderBy(inOrder([page[sortedBy], page.id], descending))
}

export const live = isNull(files.softDeletedAt)
export const trashed = and(isNotNull(files.softDeletedAt), isNull(files.purgedAt))

/**
 * Reads a file in any state, for the verb that has just changed it. The statement is not prepared, because a prepared
 * statement would be sent before the changes that are sent together with it.
 */
export async function findFileInAnyState(tx: Transaction, id: string): Promise<File | undefined> {
  const [file] = await selectFiles(tx, eq(files.id, id), { sortedBy: 'id', descending: false, limit: 1 })
  return file
}

const prepareById = (state: SQL | undefined) =>
  prepareStatement((tx) =>
    selectFiles(tx, and(state, isAnyOf(files.id, sql.placeholder('ids'))), {
      sortedBy: 'id',
      descending: false,
      limit: sql.placeholder('limit'),
    }),
  )

const liveFiles = prepareById(live)
const liveAndTrashedFiles = prepareById(isNull(files.purgedAt))

/** Live files by id, in any order. Ids that are unknown, foreign or in the trash are omitted. */
export const findFiles = (tx: Transaction, ids: readonly string[]): Promise<File[]> =>
  tx.run(liveFiles, { ids: textOfUuids(ids), limit: ids.length })

/** Live and trashed files by id, in any order. Purged files are omitted. */
export const findFilesAndTrash = (tx: Transaction, ids: readonly string[]): Promise<File[]> =>
  tx.run(liveAndTrashedFiles, { ids: textOfUuids(ids), limit: ids.length })
