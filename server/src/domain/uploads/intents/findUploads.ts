import { and, eq, gt, lte, type SQL, sql } from 'drizzle-orm'
import { unionAll } from 'drizzle-orm/pg-core'
import { isAnyOf, isState } from '../../../database/conditions.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import { principals } from '../../../database/tables/identityTables.ts'
import { uploads } from '../../../database/tables/uploadTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { type Context, readingOnce } from '../../context.ts'
import { inOrder, type Order, type Page, type PageArguments, pageRequest } from '../../paging/page.ts'

export type UploadState = (typeof uploads.$inferSelect)['state']

/** An upload intent with who made it and where its bytes go. */
export type Upload = Awaited<ReturnType<typeof selectUploads>>[number]

/** Which of the intents that match are read; without it one by id. */
interface UploadRows {
  readonly sortedBy: 'createdAt' | 'id'
  readonly descending: boolean
  readonly limit: number
}

const columns = {
  id: uploads.id,
  blobId: uploads.blobId,
  targetFileId: uploads.targetFileId,
  state: uploads.state,
  name: uploads.declaredName,
  contentType: uploads.declaredContentType,
  byteSize: uploads.declaredByteSize,
  sha256: uploads.declaredSha256,
  retention: uploads.retention,
  createdById: uploads.createdBy,
  createdAt: uploads.createdAt,
  expiresAt: uploads.expiresAt,
  fileId: uploads.fileId,
  version: uploads.version,
  refusal: uploads.refusal,
}

const selectPage = (tx: Transaction, where: SQL | undefined, { sortedBy, descending, limit }: UploadRows) =>
  tx.db
    .select(columns)
    .from(uploads)
    .where(and(tx.inTenant(uploads), where))
    .orderBy(inOrder([uploads[sortedBy], uploads.id], descending))
    .limit(limit)

/** Applies LIMIT in a subquery and joins outside it. Joining first can scan all uploads of a person for one page. */
export const selectUploads = (
  tx: Transaction,
  where: SQL | undefined,
  rows: UploadRows = { sortedBy: 'id', descending: false, limit: 1 },
) => joinToPage(tx, selectPage(tx, where, rows).as('page'), rows)

type SubqueryOf<T extends { as(alias: 'page'): unknown }> = ReturnType<T['as']>

function joinToPage(
  tx: Transaction,
  page: SubqueryOf<ReturnType<typeof selectPage>>,
  { sortedBy, descending }: Pick<UploadRows, 'sortedBy' | 'descending'>,
) {
  return (
    tx.db
      .select({
        ...page._.selectedFields,
        objectKey: blobs.objectKey,
        createdBy: { id: principals.id, kind: principals.kind, name: principals.name, email: principals.email },
      })
      .from(page)
      .innerJoin(principals, and(tx.inTenant(principals), eq(principals.id, page.createdById)))
      // An intent outlives its blob: history stays when bytes are purged.
      .leftJoin(blobs, and(eq(blobs.tenantId, principals.tenantId), eq(blobs.id, page.blobId)))
      .orderBy(inOrder([page[sortedBy], page.id], descending))
  )
}

/** An upload intent belongs to its creator; ADMIN and OWNER see all of them. */
export function visibleTo({ principal }: Pick<Context, 'principal'>): SQL | undefined {
  return principal.role === 'ADMIN' || principal.role === 'OWNER' ? undefined : eq(uploads.createdBy, principal.id)
}

/** By id, in no particular order; those that the caller may not see are left out. */
export const findUploads = (
  tx: Transaction,
  ctx: Pick<Context, 'principal'>,
  ids: readonly string[],
): Promise<Upload[]> =>
  selectUploads(tx, and(visibleTo(ctx), isAnyOf(uploads.id, ids)), {
    sortedBy: 'id',
    descending: false,
    limit: ids.length,
  })

const newestFirst: Order = {
  list: 'uploadIntents',
  kinds: ['time', 'uuid'],
  columns: [uploads.createdAt, uploads.id],
  descending: true,
}

/** Upload intents, newest first. An intent is EXPIRED from its `expiresAt` on, although its row may say PENDING longer. */
export async function listUploads(ctx: Context, state: UploadState | null, args: PageArguments): Promise<Page<Upload>> {
  const page = pageRequest(newestFirst, args)
  const { descending, limit } = page
  const rows: UploadRows = { sortedBy: 'createdAt', descending, limit }
  const among = and(visibleTo(ctx), page.where)
  const found = await readingOnce(ctx, (tx) => {
    if (state === 'EXPIRED') return selectExpired(tx, among, ctx.now(), rows)
    const inTime = state === 'PENDING' ? gt(uploads.expiresAt, ctx.now()) : undefined
    return selectUploads(tx, and(among, state === null ? undefined : isState(uploads.state, state), inTime), rows)
  })
  return page.toConnection(found, (upload) => [upload.createdAt, upload.id])
}

/** Each branch has an index of its own. As one condition with OR, the list would walk past all live intents. */
function selectExpired(tx: Transaction, among: SQL | undefined, now: Date, rows: UploadRows) {
  const swept = selectPage(tx, and(among, isState(uploads.state, 'EXPIRED')), rows)
  const overdue = tx.db
    .select(columns)
    .from(uploads)
    .where(and(tx.inTenant(uploads), among, isState(uploads.state, 'PENDING'), lte(uploads.expiresAt, now)))
    .orderBy(uploads.expiresAt)
  const page = unionAll(swept, overdue)
    .orderBy(sql.raw(rows.descending ? '"created_at" desc, "id" desc' : '"created_at", "id"'))
    .limit(rows.limit)
  return joinToPage(tx, page.as('page'), rows)
}
