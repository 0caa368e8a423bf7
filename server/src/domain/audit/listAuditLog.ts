import { and, eq, gte, lt, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { isAnyOf } from '../../database/isAnyOf.ts'
import { prepareByKey, type TenantScope } from '../../database/preparedStatement.ts'
import { auditLog } from '../../database/tables/journalTables.ts'
import { principals } from '../../database/tables/identityTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { type Context, readingOnce } from '../context.ts'
import { inOrder, type Order, type Page, type PageArguments, pageRequest } from '../paging/page.ts'

/** Who did what to what, from where. */
export type AuditEntry = Awaited<ReturnType<typeof selectEntries>>[number]

export interface AuditFilter {
  readonly action: string | null
  readonly actorId: string | null
  readonly subjectId: string | null
  /** Entries at or after. */
  readonly since: Date | null
  /** Entries before. */
  readonly until: Date | null
}

/** Which of the entries that match are read. */
interface EntryRows {
  readonly sortedBy: 'at' | 'id'
  readonly descending: boolean
  readonly limit: number | Placeholder
}

/** The page first, and then who stands behind its rows: joined before, all entries of each person may be read for it. */
function selectEntries(tx: TenantScope, where: SQL | undefined, { sortedBy, descending, limit }: EntryRows) {
  const page = tx.db
    .select({
      id: auditLog.id,
      at: auditLog.at,
      action: auditLog.action,
      actorId: auditLog.actorId,
      subjectType: auditLog.subjectType,
      subjectId: auditLog.subjectId,
      subjectName: auditLog.subjectName,
      payload: auditLog.payload,
      requestId: auditLog.requestId,
      address: auditLog.address,
      userAgent: auditLog.userAgent,
    })
    .from(auditLog)
    .where(and(tx.mine(auditLog), where))
    .orderBy(inOrder([auditLog[sortedBy], auditLog.id], descending))
    .limit(limit)
    .as('page')
  return tx.db
    .select({
      ...page._.selectedFields,
      actor: { id: principals.id, kind: principals.kind, name: principals.name, email: principals.email },
    })
    .from(page)
    .innerJoin(principals, and(tx.mine(principals), eq(principals.id, page.actorId)))
    .orderBy(inOrder([page[sortedBy], page.id], descending))
}

export const findAuditEntries = (tx: Transaction, ids: readonly string[]): Promise<AuditEntry[]> =>
  selectEntries(tx, isAnyOf(auditLog.id, ids), { sortedBy: 'id', descending: false, limit: ids.length })

const newestFirst: Order = {
  list: 'auditLog',
  kinds: ['time', 'uuid'],
  columns: [auditLog.at, auditLog.id],
  descending: true,
}

const lists = prepareByKey<AuditEntry>()

/** The audit log of the tenant, newest first. */
export async function listAuditLog(ctx: Context, filter: AuditFilter, args: PageArguments): Promise<Page<AuditEntry>> {
  const page = pageRequest(newestFirst, args)
  const { action, actorId, subjectId, since, until } = filter
  const given = [action, actorId, subjectId, since, until].map((value) => value !== null)
  const statement = lists(`${given.join(' ')} ${page.shape}`, (tx) => {
    const { where, limit } = page.prepared()
    return selectEntries(tx, and(matching(filter), where), { sortedBy: 'at', descending: page.descending, limit })
  })
  const values = { action, actorId, subjectId, since, until, ...page.values }
  const rows = await readingOnce(ctx, (tx) => tx.run(statement, values))
  return page.turnInto(rows, (entry) => [entry.at, entry.id])
}

/** The predicate of a filter, with a placeholder for each of its fields. */
function matching(filter: AuditFilter): SQL | undefined {
  const at = (name: 'since' | 'until') => sql.param(sql.placeholder(name), auditLog.at)
  return and(
    filter.action === null ? undefined : eq(auditLog.action, sql.placeholder('action')),
    filter.actorId === null ? undefined : eq(auditLog.actorId, sql.placeholder('actorId')),
    filter.subjectId === null ? undefined : eq(auditLog.subjectId, sql.placeholder('subjectId')),
    filter.since === null ? undefined : gte(auditLog.at, at('since')),
    filter.until === null ? undefined : lt(auditLog.at, at('until')),
  )
}
