import { and, asc, eq, isNull } from 'drizzle-orm'
import { sweepSchedule } from '../../../database/tables/cleanupTables.ts'
import { tenants, tenantSlugs } from '../../../database/tables/identityTables.ts'
import type { TenantDatabase, Transaction } from '../../../database/tenantDatabase.ts'
import { writeUnattended } from '../../change.ts'
import { type Context, reading } from '../../context.ts'
import { hasLivingRun } from './heartbeat.ts'
import type { CleanupKind, SweepContext } from './recordRun.ts'

const dayMs = 86_400_000
const minuteMs = 60_000
const longestBackoffMinutes = 15

/**
 * Whether no run of the schedule may begin now, because the tenant waits after a failure or because a run of the kind is under
 * way. Requested runs do not ask this.
 */
export const isResting = (ctx: SweepContext, kind: CleanupKind): Promise<boolean> =>
  reading(ctx, async (tx) => {
    const row = await readRow(tx, kind)
    return (row !== undefined && row.notBefore > ctx.now()) || (await hasLivingRun(tx, ctx.settings, kind))
  })

async function readRow(tx: Transaction, kind: CleanupKind) {
  const [row] = await tx.db
    .select()
    .from(sweepSchedule)
    .where(and(tx.inTenant(sweepSchedule), eq(sweepSchedule.kind, kind)))
  return row
}

/**
 * Notes when the next look at the tenant is due: at `dueAt`, but not before `pauseMs` is over. `dueAt` is null for a sweep whose
 * work is found by its rows.
 */
export async function noteLook(
  ctx: Context,
  kind: CleanupKind,
  { dueAt, pauseMs }: { readonly dueAt: Date | null; readonly pauseMs: number },
): Promise<void> {
  const notBefore = new Date(ctx.now().getTime() + pauseMs)
  const next = { dueAt: dueAt && dueAt < notBefore ? notBefore : dueAt, notBefore, failures: 0 }
  await writeUnattended(ctx.database, ctx.principal.tenantId, async (tx) => {
    // Most sweeps that find their work by the rows have never failed, and then nothing is written.
    if (dueAt === null && !((await readRow(tx, kind))?.failures ?? 0)) return
    await upsert(tx, kind, next)
  })
}

/**
 * Notes that a look at the tenant has failed. The next one is due after 1 minute, after twice as long for each further failure
 * in a row, at most after 15 minutes. A longer `pauseMs` replaces that time.
 */
export const noteFailure = (ctx: Context, kind: CleanupKind, pauseMs = 0): Promise<void> =>
  writeUnattended(ctx.database, ctx.principal.tenantId, (tx) => noteFailureIn(tx, ctx, kind, pauseMs))

export async function noteFailureIn(
  tx: Transaction,
  { now }: Pick<Context, 'now'>,
  kind: CleanupKind,
  pauseMs = 0,
): Promise<void> {
  const row = await readRow(tx, kind)
  const failures = (row?.failures ?? 0) + 1
  const minutes = Math.min(2 ** (failures - 1), longestBackoffMinutes)
  const notBefore = new Date(now().getTime() + Math.max(minutes * minuteMs, pauseMs))
  await upsert(tx, kind, { dueAt: row?.dueAt ? notBefore : null, notBefore, failures })
}

async function upsert(
  tx: Transaction,
  kind: CleanupKind,
  values: Pick<typeof sweepSchedule.$inferInsert, 'dueAt' | 'notBefore' | 'failures'>,
): Promise<void> {
  await tx.db
    .insert(sweepSchedule)
    .values({ tenantId: tx.tenantId, kind, ...values })
    .onConflictDoUpdate({ target: [sweepSchedule.tenantId, sweepSchedule.kind], set: values })
}

/** Lists tenants that have no rows in `sweep_schedule` yet: new ones, and those of an earlier version. */
export const listUnscheduled = async (database: TenantDatabase, most: number): Promise<string[]> => {
  const rows = await database.lookUp((db) =>
    db
      .select({ tenant: tenantSlugs.tenant })
      .from(tenantSlugs)
      .where(isNull(tenantSlugs.scheduledAt))
      .orderBy(asc(tenantSlugs.tenant))
      .limit(most),
  )
  return rows.map(({ tenant }) => tenant)
}

/**
 * Creates the rows of a tenant in `sweep_schedule`. Purge and verification look at once and then note the next time. The id of
 * the tenant decides the time of its reconcile, so that the reconciles of all tenants are spread over the day.
 */
export async function scheduleTenant({ database, principal, now }: Context): Promise<void> {
  const at = now()
  const { tenantId } = principal
  const isThere = await writeUnattended(database, tenantId, async (tx) => {
    const found = await tx.db.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, tx.tenantId))
    // A tenant that is being created has its slug first.
    if (found.length === 0) return false
    const reconcileAt = new Date(at.getTime() + Math.floor(partOf(tenantId) * dayMs))
    const rows = [
      { kind: 'PURGE_FILES', dueAt: at },
      { kind: 'VERIFY', dueAt: at },
      { kind: 'RECONCILE', dueAt: reconcileAt },
    ] as const
    for (const row of rows) {
      await tx.db
        .insert(sweepSchedule)
        .values({ tenantId, ...row, notBefore: at, failures: 0 })
        .onConflictDoNothing()
    }
    return true
  })
  if (!isThere) return
  await database.lookUp((db) => db.update(tenantSlugs).set({ scheduledAt: at }).where(eq(tenantSlugs.tenant, tenantId)))
}

/** From 0 to 1, by the random part of a UUIDv7. */
const partOf = (id: string): number => Number.parseInt(id.slice(-8), 16) / 2 ** 32
