import { and, eq, type SQL, sql } from 'drizzle-orm'
import { isAnyOf, uuidArray } from '../../../database/conditions.ts'
import { attachments } from '../../../database/tables/fileTables.ts'
import { principals } from '../../../database/tables/identityTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { type Context, readingOnce } from '../../context.ts'
import { type Order, type Page, type PageArguments, pageRequest } from '../../paging/page.ts'
import { isOwnerText } from './owner.ts'

/** A row of a host application that uses a file. */
export type Attachment = Awaited<ReturnType<typeof selectAttachments>>[number]

const selectFrom = (tx: Transaction) =>
  tx.db
    .select({
      id: attachments.id,
      fileId: attachments.fileId,
      ownerType: attachments.ownerType,
      ownerId: attachments.ownerId,
      slot: attachments.slot,
      attachedAt: attachments.createdAt,
      attachedBy: { id: principals.id, kind: principals.kind, name: principals.name, email: principals.email },
    })
    .from(attachments)
    .innerJoin(principals, and(eq(principals.tenantId, attachments.tenantId), eq(principals.id, attachments.createdBy)))
    .$dynamic()

const selectAttachments = (tx: Transaction, where: SQL | undefined, orderBy: SQL, limit: number) =>
  selectFrom(tx)
    .where(and(tx.inTenant(attachments), where))
    .orderBy(orderBy)
    .limit(limit)

export const findAttachments = (tx: Transaction, ids: readonly string[]): Promise<Attachment[]> =>
  selectAttachments(tx, isAnyOf(attachments.id, ids), sql`${attachments.id}`, ids.length)

/** The attachments of a file, oldest first, for the refusal to delete it. */
export const attachmentsOfFile = (tx: Transaction, fileId: string, limit: number): Promise<Attachment[]> =>
  selectAttachments(tx, eq(attachments.fileId, fileId), sql`${attachments.id}`, limit)

const oldestFirst: Order = { list: 'attachments', kinds: ['uuid'], columns: [attachments.id], descending: false }

/** What an owner uses, oldest first; `slot` null is all of them. A malformed owner uses nothing. */
export async function listAttachmentsOfOwner(
  ctx: Context,
  owner: { readonly ownerType: string; readonly ownerId: string; readonly slot: string | null },
  args: PageArguments,
): Promise<Page<Attachment>> {
  const page = pageRequest(oldestFirst, args)
  const { ownerType, ownerId, slot } = owner
  const isPossible = [ownerType, ownerId, slot ?? ownerId].every(isOwnerText)
  const matching = and(
    eq(attachments.ownerType, ownerType),
    eq(attachments.ownerId, ownerId),
    slot === null ? undefined : eq(attachments.slot, slot),
    page.where,
  )
  const rows = isPossible
    ? await readingOnce(ctx, (tx) => selectAttachments(tx, matching, page.orderBy, page.limit))
    : []
  return page.toConnection(rows, (attachment) => [attachment.id])
}

/** The same page of attachments for each of several files in one statement. In the order of `fileIds`. */
export async function listAttachments(
  tx: Transaction,
  fileIds: readonly string[],
  args: PageArguments,
): Promise<Page<Attachment>[]> {
  const page = pageRequest(oldestFirst, args)
  const ofOneFile = sql`select ${attachments.id} from ${attachments}
    where ${and(tx.inTenant(attachments), sql`${attachments.fileId} = wanted.id`, page.where)}
    order by ${page.orderBy} limit ${page.limit}`
  const ofEach = sql`select page.* from unnest(${uuidArray(fileIds)}) as wanted(id) cross join lateral (${ofOneFile}) as page`
  const rows = await selectFrom(tx)
    .where(and(tx.inTenant(attachments), sql`${attachments.id} in (${ofEach})`))
    .orderBy(page.orderBy)
  return fileIds.map((id) => {
    const ofThis = rows.filter((row) => row.fileId === id)
    return page.toConnection(ofThis, (attachment) => [attachment.id])
  })
}
