import { and, eq, gte, lt, type Placeholder, type SQL, sql } from 'drizzle-orm'
import { unionAll } from 'drizzle-orm/pg-core'
import { isAnyOf } from '../../database/conditions.ts'
import { prepareByKey, type TenantScope } from '../../database/preparedStatement.ts'
import { principals } from '../../database/tables/identityTables.ts'
import { auditLog } from '../../database/tables/journalTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { namesOfAction } from '../actions.ts'
import { type Context, readingOnce } from '../context.ts'
import { inOrder, type Order, type Page, type PageArguments, pageRequest } from '../paging/page.ts'

/** Who did what to what, from where. */
export type AuditEntry = Awaited<ReturnType<typeof selectEntries>>[number]

export interface AuditFilter {
  readonly action: string | null
  readonly actorId: string | null
  readonly subjectId: string | null
  /** Entries at or after this time. */
  readonly since: Date | null
  /** Entries before this time. */
  readonly until: Date | null
}

/** The order and the limit of the entries to read. */
interface EntryRows {
  readonly sortedBy: 'at' | 'id'
  readonly descending: boolean
  readonly limit: number | Placeholder
}

const columns = {
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
}

const selectPage = (tx: TenantScope, where: SQL | undefined, { sortedBy, descending, limit }: EntryRows) =>
  tx.db
    .select(columns)
    .from(auditLog)
    .where(and(tx.inTenant(auditLog), where))
    .orderBy(inOrder([auditLog[sortedBy], auditLog.id], descending))
    .limit(limit)

/** Applies LIMIT in a subquery and joins outside it. Joining first can scan all entries of a principal for one page. */
const selectEntries = (tx: TenantScope, where: SQL | undefined, rows: EntryRows) =>
  joinActors(tx, selectPage(tx, where, rows).as('page'), rows)

type SubqueryOf<T extends { as(alias: 'page'): unknown }> = ReturnType<T['as']>

const joinActors = (
  tx: TenantScope,
  page: SubqueryOf<ReturnType<typeof selectPage>>,
  { sortedBy, descending }: EntryRows,
) =>
  tx.db
    .select({
      ...page._.selectedFields,
      actor: { id: principals.id, kind: principals.kind, name: principals.name, email: principals.email },
    })
    .from(page)
    .innerJoin(principals, and(tx.inTenant(principals), eq(principals.id, page.actorId)))
    .orderBy(inOrder([page[sortedBy], page.id], descending))

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
  const [name = null, formerName = null] = action === null ? [] : namesOfAction(action)
  const given = [name, formerName, actorId, subjectId, since, until].map((value) => value !== null)
  const statement = lists(`${given.join(' ')} ${page.shape}`, (tx) => {
    const { where, limit } = page.prepared()
    const rows: EntryRows = { sortedBy: 'at', descending: page.descending, limit }
    const among = and(matching(filter), where)
    if (formerName !== null) return selectOfEitherName(tx, among, rows)
    return selectEntries(tx, and(name === null ? undefined : ofAction('name'), among), rows)
  })
  const values = { name, formerName, actorId, subjectId, since, until, ...page.values }
  const rows = await readingOnce(ctx, (tx) => tx.run(statement, values))
  return page.toConnection(rows, (entry) => [entry.at, entry.id])
}

const ofAction = (placeholder: 'name' | 'formerName') => eq(auditLog.action, sql.placeholder(placeholder))

/** Reads a page for each name of the action, because an index scan in order can filter by only one. */
function selectOfEitherName(tx: TenantScope, among: SQL | undefined, rows: EntryRows) {
  const pageOf = (placeholder: 'name' | 'formerName') => selectPage(tx, and(ofAction(placeholder), among), rows)
  const page = unionAll(pageOf('name'), pageOf('formerName'))
    .orderBy(sql.raw(rows.descending ? '"at" desc, "id" desc' : '"at", "id"'))
    .limit(rows.limit)
  return joinActors(tx, page.as('page'), rows)
}

/** The predicate of a filter without its action, with a placeholder for each field. */
function matching(filter: AuditFilter): SQL | undefined {
  const at = (name: 'since' | 'until') => sql.param(sql.placeholder(name), auditLog.at)
  return and(
    filter.actorId === null ? undefined : eq(auditLog.actorId, sql.placeholder('actorId')),
    filter.subjectId === null ? undefined : eq(auditLog.subjectId, sql.placeholder('subjectId')),
    filter.since === null ? undefined : gte(auditLog.at, at('since')),
    filter.until === null ? undefined : lt(auditLog.at, at('until')),
  )
}
