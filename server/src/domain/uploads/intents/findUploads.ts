import { and, eq, lte, type SQL, sql } from 'drizzle-orm'
import { isAnyOf, isState } from '../../../database/conditions.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import { principals } from '../../../database/tables/identityTables.ts'
import { uploads } from '../../../database/tables/uploadTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import type { Context } from '../../context.ts'
import { type PageArguments, pageRequest } from '../../paging/page.ts'
import { allOf, type Condition, given, givenState, type RelationalOrder } from '../../paging/relationalPage.ts'

export type UploadState = (typeof uploads.$inferSelect)['state']

/** An upload intent with its creator and its blob. */
export type Upload = Awaited<ReturnType<typeof selectUploads>>[number]

/** An upload intent in the form of a relational query, by column name. */
export interface UploadRow extends Pick<
  typeof uploads.$inferSelect,
  | 'id'
  | 'state'
  | 'declaredName'
  | 'declaredContentType'
  | 'declaredByteSize'
  | 'declaredSha256'
  | 'targetFileId'
  | 'fileId'
  | 'createdAt'
  | 'expiresAt'
> {
  readonly creator: Upload['createdBy']
  readonly blob: { readonly objectKey: string } | null
}

/** Converts the result of a verb to the form of a relational query, without another read. */
export const uploadRow = (upload: Upload): UploadRow => ({
  id: upload.id,
  state: upload.state,
  declaredName: upload.name,
  declaredContentType: upload.contentType,
  declaredByteSize: upload.byteSize,
  declaredSha256: upload.sha256,
  targetFileId: upload.targetFileId,
  fileId: upload.fileId,
  createdAt: upload.createdAt,
  expiresAt: upload.expiresAt,
  creator: upload.createdBy,
  blob: upload.objectKey === null ? null : { objectKey: upload.objectKey },
})

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

/** Applies LIMIT in a subquery and joins outside it. Joining first can scan all uploads of a principal for one row. */
export function selectUploads(tx: Transaction, where: SQL | undefined, limit = 1) {
  const page = tx.db
    .select(columns)
    .from(uploads)
    .where(and(tx.inTenant(uploads), where))
    .orderBy(uploads.id)
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
      .innerJoin(principals, and(tx.inTenant(principals), eq(principals.id, page.createdById)))
      // An intent outlives its blob, because it stays as history after the bytes are purged.
      .leftJoin(blobs, and(eq(blobs.tenantId, principals.tenantId), eq(blobs.id, page.blobId)))
      .orderBy(page.id)
  )
}

/** Upload intents are visible to their creator, and to ADMIN and OWNER. */
export function visibleTo({ principal }: Pick<Context, 'principal'>): SQL | undefined {
  return seesAll(principal) ? undefined : eq(uploads.createdBy, principal.id)
}

const seesAll = ({ role }: Context['principal']) => role === 'ADMIN' || role === 'OWNER'

/** Upload intents by id, in any order. Those that the caller may not see are omitted. */
export const findUploads = (
  tx: Transaction,
  ctx: Pick<Context, 'principal'>,
  ids: readonly string[],
): Promise<Upload[]> => selectUploads(tx, and(visibleTo(ctx), isAnyOf(uploads.id, ids)), ids.length)

/** Newest first. */
export const uploadOrder = {
  list: 'uploadIntents',
  kinds: ['time', 'uuid'],
  columns: ['createdAt', 'id'],
  descending: true,
} as const satisfies RelationalOrder

/** The upload intents that the caller may see. */
export const visibleUploads = ({ principal }: Pick<Context, 'principal'>): Condition =>
  given({ createdBy: seesAll(principal) ? null : principal.id })

/**
 * Upload intents in a state, or all. An intent is EXPIRED from its `expiresAt`, even while its row still says PENDING.
 */
export function uploadsInState(ctx: Context, state: UploadState | null, args: PageArguments): Condition {
  if (state === 'EXPIRED') return { RAW: ({ id }: typeof uploads) => sql`${id} = any(array(${expiredIds(ctx, args)}))` }
  return allOf(givenState(state), state === 'PENDING' ? { expiresAt: { gt: ctx.now() } } : undefined)
}

/**
 * The ids of a page of expired intents. Each branch has its own index. One condition with OR would scan all live
 * intents.
 */
function expiredIds(ctx: Context, args: PageArguments): SQL {
  const { tenantId } = ctx.principal
  const order = { ...uploadOrder, columns: [uploads.createdAt, uploads.id] }
  const { where, orderBy, limit, descending } = pageRequest(order, args)
  const among = and(eq(uploads.tenantId, tenantId), visibleTo(ctx), where)
  const rows = sql`select ${uploads.id}, ${uploads.createdAt} from ${uploads}`
  const swept = sql`${rows} where ${and(among, isState(uploads.state, 'EXPIRED'))} order by ${orderBy} limit ${limit}`
  const isOverdue = and(isState(uploads.state, 'PENDING'), lte(uploads.expiresAt, ctx.now()))
  const overdue = sql`${rows} where ${and(among, isOverdue)} order by ${uploads.expiresAt}`
  const direction = sql.raw(descending ? 'desc' : 'asc')
  return sql`select "id" from ((${swept}) union all (${overdue})) as "page"
    order by "created_at" ${direction}, "id" ${direction} limit ${limit}`
}
