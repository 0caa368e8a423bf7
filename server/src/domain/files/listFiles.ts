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
  /** A prefix of stored media types, such as `image/`. */
  readonly contentTypePrefix: string | null
  readonly uploadedById: string | null
}

const byUpload = { list: 'files', kinds: ['time', 'uuid'], columns: [files.uploadedAt, files.id] } as const
const byDeletion = { list: 'trash', kinds: ['time', 'uuid'], columns: [files.softDeletedAt, files.id] } as const

const lists = prepareByKey<File>()
const counts = prepareByKey<{ value: string }>()

/** Lists live files by upload time, or the trash by deletion time. */
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

/** Counts the matching files, up to a limit. */
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

/** Two filters of the same shape have the same statement. There are 12 shapes. */
const shapeOf = ({ trashed: inTrash, contentTypePrefix, uploadedById }: FileFilter): string =>
  [inTrash, contentTypePrefix !== null, classOf(contentTypePrefix) !== null, uploadedById !== null].join(' ')

/** The predicate of a filter. `valuesOf` fills its placeholders. */
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

/** The class of all types with this prefix, such as `image` for `image/p`. Each class has its own index order. */
function classOf(contentTypePrefix: string | null): string | null {
  const [mediaClass = '', rest] = contentTypePrefix?.split('/', 2) ?? []
  return rest === undefined ? null : mediaClass
}

/**
 * A range that an index answers without a pattern or escaping. It compares code points, as the index does: U+10FFFF
 * sorts after every other character.
 */
const hasPrefix = (end: SQL) => sql`${files.contentType} collate "C" >= ${sql.placeholder('type')}
  and ${end} collate "C" < ${sql.placeholder('type end')}`

const ofClass = and(eq(files.mediaClass, sql.placeholder('class')), hasPrefix(sql`${files.contentType}`))

/**
 * If the class is unknown, a generic plan takes two bounds on one column for a narrow range, and then collects and
 * sorts all rows instead of walking the list until the page is full. The second expression hides the bounds from the
 * planner.
 */
const ofSomeClasses = hasPrefix(sql`(${files.contentType} || '')`)
