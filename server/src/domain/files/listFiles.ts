import { and, type Column, eq, gte, type SQL, sql } from 'drizzle-orm'
import { files } from '../../database/tables.ts'
import { type Context, readingOnce } from '../context.ts'
import { limits } from '../limits.ts'
import { type Order, type Page, type PageArguments, pageRequest } from '../paging/page.ts'
import { type File, live, selectFiles, trashed } from './findFiles.ts'

export interface FileFilter {
  readonly trashed: boolean
  /** Lower case, such as `image/`. */
  readonly contentTypePrefix: string | null
  readonly uploadedById: string | null
}

const byUpload = { list: 'files', kinds: ['time', 'uuid'], columns: [files.uploadedAt, files.id] } as const
const byDeletion = { list: 'trash', kinds: ['time', 'uuid'], columns: [files.softDeletedAt, files.id] } as const

/** Live files by time of upload, or the trash by time of deletion. */
export async function listFiles(
  ctx: Context,
  filter: FileFilter,
  oldestFirst: boolean,
  args: PageArguments,
): Promise<Page<File>> {
  const order: Order = { ...(filter.trashed ? byDeletion : byUpload), descending: !oldestFirst }
  const page = pageRequest(order, args)
  const rows = await readingOnce(ctx, (tx) =>
    selectFiles(tx, and(matching(filter), page.where), page.orderBy, page.limit),
  )
  return page.turnInto(rows, (file) => [
    (filter.trashed ? file.deletedAt : file.uploadedAt) ?? file.uploadedAt,
    file.id,
  ])
}

/** How many files match; beyond the bound it is only known that there are at least so many. */
export async function countFiles(ctx: Context, filter: FileFilter): Promise<{ value: number; isExact: boolean }> {
  const counted = await readingOnce(ctx, async (tx) => {
    const some = tx.db
      .select({ id: files.id })
      .from(files)
      .where(and(tx.mine(files), matching(filter)))
      .limit(limits.countedRows + 1)
      .as('some')
    const [row] = await tx.db.select({ value: sql<string>`count(*)` }).from(some)
    return Number(row?.value ?? 0)
  })
  return { value: Math.min(counted, limits.countedRows), isExact: counted <= limits.countedRows }
}

function matching({ trashed: inTrash, contentTypePrefix, uploadedById }: FileFilter): SQL | undefined {
  return and(
    inTrash ? trashed : live,
    uploadedById === null ? undefined : eq(files.uploadedBy, uploadedById),
    contentTypePrefix === null ? undefined : startsWith(files.contentType, contentTypePrefix),
  )
}

/**
 * A range, which needs no pattern and no escaping. U+10FFFF sorts behind whatever follows a prefix. Bounds on one
 * expression are taken for a narrow range by a plan that does not know them, which then collects all and sorts instead of
 * walking the index of the list until the page is full; hence the second expression.
 */
const startsWith = (column: Column, prefix: string) =>
  and(gte(column, prefix), sql`(${column} || '') < ${`${prefix}\u{10FFFF}`}`)
