import { and, asc, eq, isNull } from 'drizzle-orm'
import { readDatabaseClock } from '../../../database/lockRows.ts'
import { sweepSchedule } from '../../../database/tables/cleanupTables.ts'
import { tenants, tenantSlugs } from '../../../database/tables/identityTables.ts'
import type { TenantDatabase, Transaction } from '../../../database/tenantDatabase.ts'
import { writeUnattended } from '../../change.ts'
import { earliest, latest } from '../../clocks.ts'
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

const selectRow = (tx: Transaction, kind: CleanupKind) =>
  tx.db
    .select()
    .from(sweepSchedule)
    .where(and(tx.inTenant(sweepSchedule), eq(sweepSchedule.kind, kind)))

const readRow = async (tx: Transaction, kind: CleanupKind) => (await selectRow(tx, kind))[0]
const lockRow = async (tx: Transaction, kind: CleanupKind) => (await selectRow(tx, kind).for('update'))[0]

/** When the next look is due. `at` is the time of this one. */
export type NextLook = (tx: Transaction, ctx: SweepContext, at: Date) => Promise<Date> | Date

/**
 * Notes when the next look at the tenant is due: at the time of `nextAt`, but not before `pauseMs` is over. `nextAt` is undefined
 * for a sweep whose work is found by its rows.
 */
export async function noteLook(
  ctx: SweepContext,
  kind: CleanupKind,
  { nextAt, pauseMs }: { readonly nextAt: NextLook | undefined; readonly pauseMs: number },
): Promise<void> {
  await writeUnattended(ctx.database, ctx.principal.tenantId, async (tx) => {
    // Locked first: `nextAt` must see a change of policy whose transaction has asked for a look.
    const row = await lockRow(tx, kind)
    // Most sweeps that find their work by the rows have never failed, and then nothing is written.
    if (!nextAt && !row?.failures) return
    const at = await readTime(tx, ctx)
    const notBefore = new Date(at.getTime() + pauseMs)
    const dueAt = nextAt ? latest(await nextAt(tx, ctx, at), notBefore) : null
    await upsert(tx, kind, { dueAt, notBefore, failures: 0 })
  })
}

/** By the earlier clock. A clock that is a year fast must not put off the next look by a year. */
const readTime = async (tx: Transaction, { now }: Pick<Context, 'now'>): Promise<Date> =>
  earliest(now(), await readDatabaseClock(tx))

/**
 * Notes that a look at the tenant has failed. The next one is due after 1 minute, after twice as long for each further failure
 * in a row, at most after 15 minutes. A longer `pauseMs` replaces that time.
 */
export const noteFailure = (ctx: Context, kind: CleanupKind, pauseMs = 0): Promise<void> =>
  writeUnattended(ctx.database, ctx.principal.tenantId, (tx) => noteFailureIn(tx, ctx, kind, pauseMs))

export async function noteFailureIn(
  tx: Transaction,
  ctx: Pick<Context, 'now'>,
  kind: CleanupKind,
  pauseMs = 0,
): Promise<void> {
  const row = await lockRow(tx, kind)
  const failures = (row?.failures ?? 0) + 1
  const minutes = Math.min(2 ** (failures - 1), longestBackoffMinutes)
  const at = await readTime(tx, ctx)
  const notBefore = new Date(at.getTime() + Math.max(minutes * minuteMs, pauseMs))
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
  const { tenantId } = principal
  const isThere = await writeUnattended(database, tenantId, async (tx) => {
    const found = await tx.db.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, tx.tenantId))
    // A tenant that is being created has its slug first.
    if (found.length === 0) return false
    const at = await readTime(tx, { now })
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
  await database.lookUp((db) =>
    db.update(tenantSlugs).set({ scheduledAt: now() }).where(eq(tenantSlugs.tenant, tenantId)),
  )
}

/** From 0 to 1, by the random part of a UUIDv7. */
const partOf = (id: string): number => Number.parseInt(id.slice(-8), 16) / 2 ** 32
