import { and, eq, isNotNull, isNull, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { alias } from 'drizzle-orm/pg-core'
import { blobs, files, fileVersions, principals, tenants } from '../../database/tables.ts'
import { isAnyOf } from '../../database/isAnyOf.ts'
import type { TenantScope } from '../../database/preparedStatement.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'

const uploader = alias(principals, 'uploader')

/**
 * A file with its uploader, what its current version lies in, and what the policy of its tenant says about files:
 * everything that a list of live files shows, in one statement.
 */
export type File = Awaited<ReturnType<typeof selectFiles>>[number]

export function selectFiles(
  tx: TenantScope,
  where: SQL | undefined,
  orderBy: SQL = sql`${files.id}`,
  limit: number | Placeholder = 1,
) {
  return tx.db
    .select({
      id: files.id,
      name: files.originalFileName,
      contentType: files.contentType,
      byteSize: files.byteSize,
      version: files.currentVersion,
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
      quarantinedAt: blobs.quarantinedAt,
      uploadedBy: { id: uploader.id, kind: uploader.kind, name: uploader.name, email: uploader.email },
      objectKey: blobs.objectKey,
      sha256: blobs.sha256,
      policy: { trashDays: tenants.trashDays, downloadMaxSeconds: tenants.downloadMaxSeconds },
    })
    .from(files)
    .innerJoin(tenants, eq(tenants.id, files.tenantId))
    .innerJoin(uploader, and(eq(uploader.tenantId, files.tenantId), eq(uploader.id, files.uploadedBy)))
    .innerJoin(
      fileVersions,
      and(
        eq(fileVersions.tenantId, files.tenantId),
        eq(fileVersions.fileId, files.id),
        eq(fileVersions.version, files.currentVersion),
      ),
    )
    .innerJoin(blobs, and(eq(blobs.tenantId, files.tenantId), eq(blobs.id, fileVersions.blobId)))
    .where(and(tx.mine(files), where))
    .orderBy(orderBy)
    .limit(limit)
}

export const live = isNull(files.softDeletedAt)
export const trashed = and(isNotNull(files.softDeletedAt), isNull(files.purgedAt))

/** A file whatever its state, for the verb that has just changed it. */
export async function readFile(tx: Transaction, id: string): Promise<File | undefined> {
  const [file] = await selectFiles(tx, eq(files.id, id))
  return file
}

/** Live files by id, in no particular order; ids that are unknown, foreign or in the trash are left out. */
export const findFiles = (tx: Transaction, ids: readonly string[]): Promise<File[]> =>
  selectFiles(tx, and(live, isAnyOf(files.id, ids)), undefined, ids.length)
