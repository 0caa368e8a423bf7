import { and, eq, gt, lte, or, type SQL, sql } from 'drizzle-orm'
import { blobs, principals, uploads } from '../../database/tables.ts'
import { isAnyOf } from '../../database/isAnyOf.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { type Context, reading } from '../context.ts'
import { type Order, type Page, type PageArguments, pageRequest } from '../paging/page.ts'

export type UploadState = (typeof uploads.$inferSelect)['state']

/** An upload intent with who made it and where its bytes go. */
export type Upload = Awaited<ReturnType<typeof selectUploads>>[number]

export function selectUploads(tx: Transaction, where: SQL | undefined, orderBy: SQL = sql`${uploads.id}`, limit = 1) {
  return (
    tx.db
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
        createdAt: uploads.createdAt,
        expiresAt: uploads.expiresAt,
        fileId: uploads.fileId,
        version: uploads.version,
        refusal: uploads.refusal,
        objectKey: blobs.objectKey,
        createdBy: { id: principals.id, kind: principals.kind, name: principals.name, email: principals.email },
      })
      .from(uploads)
      .innerJoin(principals, and(eq(principals.tenantId, uploads.tenantId), eq(principals.id, uploads.createdBy)))
      // An intent outlives its blob: history stays when bytes are purged.
      .leftJoin(blobs, and(eq(blobs.tenantId, uploads.tenantId), eq(blobs.id, uploads.blobId)))
      .where(and(tx.mine(uploads), where))
      .orderBy(orderBy)
      .limit(limit)
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
): Promise<Upload[]> => selectUploads(tx, and(visibleTo(ctx), isAnyOf(uploads.id, ids)), undefined, ids.length)

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
  const rows = await reading(ctx, (tx) => selectUploads(tx, matching, page.orderBy, page.limit))
  return page.turnInto(rows, (upload) => [upload.createdAt, upload.id])
}

/** An intent whose time is over has expired for everybody, although the job that says so has yet to come. */
function inState(state: UploadState, now: Date): SQL | undefined {
  const pending = eq(uploads.state, 'PENDING')
  if (state === 'PENDING') return and(pending, gt(uploads.expiresAt, now))
  if (state === 'EXPIRED') return or(eq(uploads.state, state), and(pending, lte(uploads.expiresAt, now)))
  return eq(uploads.state, state)
}
