import { and, eq, type SQL, sql } from 'drizzle-orm'
import { onlyRow } from '../../database/onlyRow.ts'
import { prepareByKey } from '../../database/preparedStatement.ts'
import { files } from '../../database/tables/fileTables.ts'
import { type Context, readingOnce } from '../context.ts'
import { limits } from '../limits.ts'
import { type Order, type Page, type PageArguments, pageRequest } from '../paging/page.ts'
import { type File, live, selectFiles, trashed } from './findFiles.ts'

export interface FileFilter {
  readonly trashed: boolean
  /** The beginning of stored media types, such as `image/`. */
  readonly contentTypePrefix: string | null
  readonly uploadedById: string | null
}

const byUpload = { list: 'files', kinds: ['time', 'uuid'], columns: [files.uploadedAt, files.id] } as const
const byDeletion = { list: 'trash', kinds: ['time', 'uuid'], columns: [files.softDeletedAt, files.id] } as const

const lists = prepareByKey<File>()
const counts = prepareByKey<{ value: string }>()

/** Live files by time of upload, or the trash by time of deletion. */
export async function listFiles(
  ctx: Context,
  filter: FileFilter,
  oldestFirst: boolean,
  args: PageArguments,
): Promise<Page<File>> {
  const order: Order = { ...(filter.trashed ? byDeletion : byUpload), descending: !oldestFirst }
  const page = pageRequest(order, args)
  const statement = lists(`${shapeOf(filter)} ${page.shape}`, (tx) => {
    const { where, limit } = page.prepared()
    const sortedBy = filter.trashed ? 'deletedAt' : 'uploadedAt'
    return selectFiles(tx, and(matching(filter), where), { sortedBy, descending: page.descending, limit })
  })
  const rows = await readingOnce(ctx, (tx) => tx.run(statement, { ...valuesOf(filter), ...page.values }))
  return page.toConnection(rows, (file) => [
    (filter.trashed ? file.deletedAt : file.uploadedAt) ?? file.uploadedAt,
    file.id,
  ])
}

/** How many files match; beyond the bound it is only known that there are at least so many. */
export async function countFiles(ctx: Context, filter: FileFilter): Promise<{ value: number; isExact: boolean }> {
  const statement = counts(shapeOf(filter), (tx) => {
    const some = tx.db
      .select({ id: files.id })
      .from(files)
      .where(and(tx.inTenant(files), matching(filter)))
      .limit(sql.placeholder('limit'))
      .as('some')
    return tx.db.select({ value: sql<string>`count(*)` }).from(some)
  })
  const rows = await readingOnce(ctx, (tx) => tx.run(statement, { ...valuesOf(filter), limit: limits.countedRows + 1 }))
  const counted = Number(onlyRow(rows).value)
  return { value: Math.min(counted, limits.countedRows), isExact: counted <= limits.countedRows }
}

/** Two filters of the same shape are written the same. There are 12. */
const shapeOf = ({ trashed: inTrash, contentTypePrefix, uploadedById }: FileFilter): string =>
  [inTrash, contentTypePrefix !== null, classOf(contentTypePrefix) !== null, uploadedById !== null].join(' ')

/** The predicate of a filter, with placeholders that `valuesOf` fills. */
const matching = ({ trashed: inTrash, contentTypePrefix, uploadedById }: FileFilter): SQL | undefined =>
  and(
    inTrash ? trashed : live,
    uploadedById === null ? undefined : eq(files.uploadedBy, sql.placeholder('uploader')),
    contentTypePrefix === null ? undefined : classOf(contentTypePrefix) === null ? ofSomeClasses : ofClass,
  )

const valuesOf = ({ contentTypePrefix, uploadedById }: FileFilter) => ({
  uploader: uploadedById,
  class: classOf(contentTypePrefix),
  type: contentTypePrefix,
  'type end': `${contentTypePrefix}\u{10FFFF}`,
})

/** The class that all types with this beginning have, such as `image` for `image/p`: its files are a list of their own. */
function classOf(contentTypePrefix: string | null): string | null {
  const [mediaClass = '', rest] = contentTypePrefix?.split('/', 2) ?? []
  return rest === undefined ? null : mediaClass
}

/**
 * A range, which needs no pattern and no escaping, and which an index answers. By code points, as the index is: U+10FFFF
 * sorts behind whatever follows a prefix.
 */
const hasPrefix = (end: SQL) => sql`${files.contentType} collate "C" >= ${sql.placeholder('type')}
  and ${end} collate "C" < ${sql.placeholder('type end')}`

const ofClass = and(eq(files.mediaClass, sql.placeholder('class')), hasPrefix(sql`${files.contentType}`))

/**
 * Where the class is not known, two bounds on one column would be taken for a narrow range by a plan that does not know
 * them, which then collects all and sorts instead of walking the list until the page is full; hence the second expression.
 */
const ofSomeClasses = hasPrefix(sql`(${files.contentType} || '')`)
