import { and, eq, gt, inArray, lte, ne, or, type SQL } from 'drizzle-orm'
import { blobs } from '../../database/tables/fileTables.ts'
import { principals } from '../../database/tables/identityTables.ts'
import { uploads } from '../../database/tables/uploadTables.ts'
import { isAnyOf } from '../../database/isAnyOf.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { type Context, readingOnce } from '../context.ts'
import { inOrder, type Order, type Page, type PageArguments, pageRequest } from '../paging/page.ts'

export type UploadState = (typeof uploads.$inferSelect)['state']

/** An upload intent with who made it and where its bytes go. */
export type Upload = Awaited<ReturnType<typeof selectUploads>>[number]

/** Which of the intents that match are read; without it one by id. */
interface UploadRows {
  readonly sortedBy: 'createdAt' | 'id'
  readonly descending: boolean
  readonly limit: number
}

/** The page first, and then what belongs to its rows: joined before, all uploads of each person may be read for it. */
export function selectUploads(
  tx: Transaction,
  where: SQL | undefined,
  { sortedBy, descending, limit }: UploadRows = { sortedBy: 'id', descending: false, limit: 1 },
) {
  const page = tx.db
    .select({
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
    })
    .from(uploads)
    .where(and(tx.mine(uploads), where))
    .orderBy(inOrder([uploads[sortedBy], uploads.id], descending))
    .limit(limit)
    .as('page')
  return (
    tx.db
      .select({
        ...page._.selectedFields,
        objectKey: blobs.objectKey,
        createdBy: { id: principals.id, kind: principals.kind, name: principals.name, email: principals.email },
      })
      .from(page)
      .innerJoin(principals, and(tx.mine(principals), eq(principals.id, page.createdById)))
      // An intent outlives its blob: history stays when bytes are purged.
      .leftJoin(blobs, and(eq(blobs.tenantId, principals.tenantId), eq(blobs.id, page.blobId)))
      .orderBy(inOrder([page[sortedBy], page.id], descending))
  )
}

/** An upload intent belongs to whoever made it; ADMIN and OWNER see all of them. */
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

/** Upload intents, newest first. */
export async function listUploads(ctx: Context, state: UploadState | null, args: PageArguments): Promise<Page<Upload>> {
  const page = pageRequest(newestFirst, args)
  const matching = and(visibleTo(ctx), state === null ? undefined : inState(state, ctx.now()), page.where)
  const { descending, limit } = page
  const rows = await readingOnce(ctx, (tx) => selectUploads(tx, matching, { sortedBy: 'createdAt', descending, limit }))
  return page.turnInto(rows, (upload) => [upload.createdAt, upload.id])
}

/**
 * An intent whose time is over has expired for everybody, although the job that says so has yet to come. The states are
 * named by themselves, since the indexes hold them.
 */
function inState(state: UploadState, now: Date): SQL | undefined {
  if (state === 'PENDING') return and(eq(uploads.state, state), gt(uploads.expiresAt, now))
  if (state !== 'EXPIRED') return eq(uploads.state, state)
  return and(inArray(uploads.state, ['PENDING', state]), or(ne(uploads.state, 'PENDING'), lte(uploads.expiresAt, now)))
}
