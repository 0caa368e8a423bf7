import { and, eq, type SQL, sql } from 'drizzle-orm'
import { isState, isAnyOf } from '../../../database/conditions.ts'
import { cleanupRuns, type cleanupStates } from '../../../database/tables/cleanupTables.ts'
import { principals } from '../../../database/tables/identityTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { type Context, readingOnce } from '../../context.ts'
import { type Order, type Page, type PageArguments, pageRequest } from '../../paging/page.ts'
import type { CleanupKind } from './recordRun.ts'

export type CleanupState = (typeof cleanupStates)[number]

/** A run with who asked for it. */
export type CleanupRun = Awaited<ReturnType<typeof selectRuns>>[number]

const selectRuns = (tx: Transaction, where: SQL | undefined, orderBy: SQL, limit: number) =>
  tx.db
    .select({
      id: cleanupRuns.id,
      kind: cleanupRuns.kind,
      state: cleanupRuns.state,
      isDryRun: cleanupRuns.isDryRun,
      before: cleanupRuns.before,
      exceedsBrake: cleanupRuns.exceedsBrake,
      createdAt: cleanupRuns.createdAt,
      startedAt: cleanupRuns.startedAt,
      finishedAt: cleanupRuns.finishedAt,
      examined: cleanupRuns.examined,
      deleted: cleanupRuns.deleted,
      deletedBytes: cleanupRuns.deletedBytes,
      held: cleanupRuns.held,
      found: cleanupRuns.found,
      sample: cleanupRuns.sample,
      message: cleanupRuns.message,
      requestedBy: { id: principals.id, kind: principals.kind, name: principals.name, email: principals.email },
    })
    .from(cleanupRuns)
    .innerJoin(
      principals,
      and(eq(principals.tenantId, cleanupRuns.tenantId), eq(principals.id, cleanupRuns.requestedBy)),
    )
    .where(and(tx.inTenant(cleanupRuns), where))
    .orderBy(orderBy)
    .limit(limit)

export const findCleanupRuns = (tx: Transaction, ids: readonly string[]): Promise<CleanupRun[]> =>
  selectRuns(tx, isAnyOf(cleanupRuns.id, ids), sql`${cleanupRuns.id}`, ids.length)

const newestFirst: Order = {
  list: 'cleanupRuns',
  kinds: ['time', 'uuid'],
  columns: [cleanupRuns.createdAt, cleanupRuns.id],
  descending: true,
}

export interface CleanupFilter {
  readonly kind: CleanupKind | null
  readonly state: CleanupState | null
}

/** What the sweeps of the tenant did, newest first. Runs that had nothing to do are not recorded. */
export async function listCleanupRuns(
  ctx: Context,
  { kind, state }: CleanupFilter,
  args: PageArguments,
): Promise<Page<CleanupRun>> {
  const page = pageRequest(newestFirst, args)
  const matching = and(
    kind === null ? undefined : eq(cleanupRuns.kind, kind),
    state === null ? undefined : isState(cleanupRuns.state, state),
    page.where,
  )
  const rows = await readingOnce(ctx, (tx) => selectRuns(tx, matching, page.orderBy, page.limit))
  return page.toConnection(rows, (run) => [run.createdAt, run.id])
}
