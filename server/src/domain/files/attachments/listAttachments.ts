import { and, eq, sql } from 'drizzle-orm'
import { uuidArray } from '../../../database/conditions.ts'
import { attachments } from '../../../database/tables/fileTables.ts'
import { principals } from '../../../database/tables/identityTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { type Order, type Page, type PageArguments, pageRequest } from '../../paging/page.ts'

/** A row of a host application that uses a file. */
export type Attachment = Awaited<ReturnType<typeof selectFrom>>[number]

const selectFrom = (tx: Transaction) =>
  tx.db
    .select({
      id: attachments.id,
      fileId: attachments.fileId,
      ownerType: attachments.ownerType,
      ownerId: attachments.ownerId,
      slot: attachments.slot,
      createdAt: attachments.createdAt,
      creator: { id: principals.id, kind: principals.kind, name: principals.name, email: principals.email },
    })
    .from(attachments)
    .innerJoin(principals, and(eq(principals.tenantId, attachments.tenantId), eq(principals.id, attachments.createdBy)))
    .$dynamic()

/** The attachments of a file, oldest first. The refusal to delete the file shows them. */
export const attachmentsOfFile = (tx: Transaction, fileId: string, limit: number): Promise<Attachment[]> =>
  selectFrom(tx)
    .where(and(tx.inTenant(attachments), eq(attachments.fileId, fileId)))
    .orderBy(sql`${attachments.id}`)
    .limit(limit)

const oldestFirst: Order = { list: 'attachments', kinds: ['uuid'], columns: [attachments.id], descending: false }

/** Reads a page of attachments, oldest first, for each of several files in one statement. In the order of `fileIds`. */
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
