import { and, eq, gte, lt, type SQL, sql } from 'drizzle-orm'
import { isAnyOf } from '../../database/isAnyOf.ts'
import { auditLog, principals } from '../../database/tables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { type Context, readingOnce } from '../context.ts'
import { type Order, type Page, type PageArguments, pageRequest } from '../paging/page.ts'

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

function selectEntries(tx: Transaction, where: SQL | undefined, orderBy: SQL = sql`${auditLog.id}`, limit = 1) {
  return tx.db
    .select({
      id: auditLog.id,
      at: auditLog.at,
      action: auditLog.action,
      subjectType: auditLog.subjectType,
      subjectId: auditLog.subjectId,
      subjectName: auditLog.subjectName,
      payload: auditLog.payload,
      requestId: auditLog.requestId,
      address: auditLog.address,
      userAgent: auditLog.userAgent,
      actor: { id: principals.id, kind: principals.kind, name: principals.name, email: principals.email },
    })
    .from(auditLog)
    .innerJoin(principals, and(eq(principals.tenantId, auditLog.tenantId), eq(principals.id, auditLog.actorId)))
    .where(and(tx.mine(auditLog), where))
    .orderBy(orderBy)
    .limit(limit)
}

export const findAuditEntries = (tx: Transaction, ids: readonly string[]): Promise<AuditEntry[]> =>
  selectEntries(tx, isAnyOf(auditLog.id, ids), undefined, ids.length)

const newestFirst: Order = {
  list: 'auditLog',
  kinds: ['time', 'uuid'],
  columns: [auditLog.at, auditLog.id],
  descending: true,
}

/** The audit log of the tenant, newest first. */
export async function listAuditLog(ctx: Context, filter: AuditFilter, args: PageArguments): Promise<Page<AuditEntry>> {
  const page = pageRequest(newestFirst, args)
  const matching = and(
    filter.action === null ? undefined : eq(auditLog.action, filter.action),
    filter.actorId === null ? undefined : eq(auditLog.actorId, filter.actorId),
    filter.subjectId === null ? undefined : eq(auditLog.subjectId, filter.subjectId),
    filter.since === null ? undefined : gte(auditLog.at, filter.since),
    filter.until === null ? undefined : lt(auditLog.at, filter.until),
  )
  const rows = await readingOnce(ctx, (tx) => selectEntries(tx, and(matching, page.where), page.orderBy, page.limit))
  return page.turnInto(rows, (entry) => [entry.at, entry.id])
}
