import { and, asc, eq, gt, lte, type SQL, sql } from 'drizzle-orm'
import { onlyRow } from '../../../database/onlyRow.ts'
import { readDatabaseClock } from '../../../database/lockRows.ts'
import { orphanObjects } from '../../../database/tables/cleanupTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { change, writeUnattended } from '../../change.ts'
import { earliest } from '../../clocks.ts'
import { reading } from '../../context.ts'
import { deleteFromBucket } from '../../installation/deleteFromBucket.ts'
import { readInstallation } from '../../installation/installation.ts'
import { withoutFence } from '../runs/fence.ts'
import { refuseBeyondBrake, takeLease } from '../runs/rails.ts'
import type { Run, SweepContext } from '../runs/recordRun.ts'
import { type OrphanEvidence, orphanHeldBy, type OrphanRule } from './orphanGates.ts'
import { isExplained, type Orphan, readOrphanEvidence } from './readOrphanEvidence.ts'

const batchObjects = 500

/** The differences between orphans of a tenant and objects of unknown tenants. */
export interface OrphanHandling {
  readonly readEvidence: (ctx: SweepContext, orphans: readonly Orphan[]) => Promise<OrphanEvidence[]>
  /** Records what was deleted and ends the watch over it, in one transaction. */
  readonly record: (ctx: SweepContext, gone: readonly OrphanEvidence[]) => Promise<unknown>
}

const ofTenant: OrphanHandling = {
  readEvidence: readOrphanEvidence,
  record: (ctx, gone) =>
    change(ctx, async (tx) => {
      await endWatch(tx, gone)
      const recordOf = ({ objectKey, byteSize }: OrphanEvidence) =>
        ({ action: 'orphan.deleted', id: tx.tenantId, name: null, payload: { objectKey, byteSize } }) as const
      return { answer: undefined, records: gone.map(recordOf) }
    }),
}

/**
 * Deletes objects without a row after the grace period, if the current run has listed them. The gates decide about each
 * object right before the delete; the query only finds candidates. Objects that the history of this database does not
 * explain are counted as FOREIGN and kept, unless an operator asks for the delete.
 */
export async function deleteOrphans(ctx: SweepContext, run: Run, handling = ofTenant): Promise<void> {
  const { watchedSince, dueCount, youngCount, foreignCount } = await countOrphans(ctx, run)
  run.tally.addHeldCount('GRACE', youngCount)
  run.tally.addHeldCount('FOREIGN', foreignCount)
  if (!run.isDryRun && !run.exceedsBrake) refuseBeyondBrake(ctx, dueCount, run.tally.examined)
  const rule: OrphanRule = {
    installationId: (await readInstallation(ctx.database)).id,
    runId: run.isDryRun ? null : run.id,
    graceMs: ctx.settings.orphanGraceMs,
    includesForeign: run.includesForeign,
  }
  for (let after = ''; ;) {
    const batch = await reading(ctx, (tx) => listDue(tx, run, watchedSince, after))
    await deleteBatch(ctx, run, batch, { rule, handling })
    const last = batch.at(-1)
    if (!last || batch.length < batchObjects) break
    after = last.objectKey
  }
  if (!run.isDryRun) await forgetGone(ctx, run)
}

interface Decision {
  readonly rule: OrphanRule
  readonly handling: OrphanHandling
}

async function deleteBatch(
  ctx: SweepContext,
  run: Run,
  batch: readonly Orphan[],
  { rule, handling }: Decision,
): Promise<void> {
  if (batch.length === 0) return
  const lease = takeLease()
  const evidence = await handling.readEvidence(ctx, batch)
  // An object that no longer exists needs no gate.
  const present = evidence.filter(({ stored }) => stored !== null)
  const doomed = present.filter((orphan) => {
    const gate = orphanHeldBy(orphan, rule)
    if (gate !== null) run.tally.addHeld(gate, examined(orphan))
    return gate === null
  })
  if (run.isDryRun) {
    for (const orphan of doomed) run.tally.addDeleted(examined(orphan))
    return
  }
  const { failed } = await deleteFromBucket(
    ctx,
    lease,
    doomed.map(({ objectKey }) => objectKey),
  )
  const refused = new Set(failed.map(({ key }) => key))
  const gone = doomed.filter(({ objectKey }) => !refused.has(objectKey))
  for (const orphan of gone) run.tally.addDeleted(examined(orphan))
  for (const orphan of doomed) if (refused.has(orphan.objectKey)) run.tally.addHeld('STORE', examined(orphan))
  if (gone.length > 0) await handling.record(withoutFence(ctx), gone)
}

const examined = ({ objectKey, byteSize }: Pick<Orphan, 'objectKey' | 'byteSize'>) => ({ key: objectKey, byteSize })

export async function endWatch(tx: Transaction, gone: readonly OrphanEvidence[]): Promise<void> {
  for (const { objectKey } of gone) {
    await tx.db.delete(orphanObjects).where(and(tx.inTenant(orphanObjects), eq(orphanObjects.objectKey, objectKey)))
  }
}

const listDue = (tx: Transaction, run: Run, watchedSince: Date, after: string): Promise<Orphan[]> =>
  tx.db
    .select()
    .from(orphanObjects)
    .where(
      and(
        tx.inTenant(orphanObjects),
        isSeen(run),
        lte(orphanObjects.firstSeenAt, watchedSince),
        run.includesForeign ? undefined : isExplained,
        gt(orphanObjects.objectKey, after),
      ),
    )
    .orderBy(asc(orphanObjects.objectKey))
    .limit(batchObjects)

/** A dry run records nothing, so it reports what earlier runs have seen. */
const isSeen = (run: Run): SQL | undefined => (run.isDryRun ? undefined : eq(orphanObjects.seenByRun, run.id))

/**
 * Counts the watched objects of one tenant: due now, not yet due, and due but not explained by the history of this
 * database.
 */
export async function countOrphans(ctx: SweepContext, run: Run) {
  return reading(ctx, async (tx) => {
    const now = earliest(ctx.now(), await readDatabaseClock(tx))
    const watchedSince = new Date(now.getTime() - ctx.settings.orphanGraceMs)
    const isDue = sql`${orphanObjects.firstSeenAt} <= ${watchedSince.toISOString()}::timestamptz`
    const isOurs = run.includesForeign ? sql`true` : isExplained
    const counted = await tx.db
      .select({
        due: sql`count(*) filter (where ${isDue} and ${isOurs})`.mapWith(Number),
        young: sql`count(*) filter (where not ${isDue})`.mapWith(Number),
        foreign: sql`count(*) filter (where ${isDue} and not ${isOurs})`.mapWith(Number),
      })
      .from(orphanObjects)
      .where(and(tx.inTenant(orphanObjects), isSeen(run)))
    const { due, young, foreign } = onlyRow(counted)
    return { watchedSince, dueCount: due, youngCount: young, foreignCount: foreign }
  })
}

/** Ends the watch over objects that a complete listing no longer contained. */
async function forgetGone({ database, principal, now }: SweepContext, run: Run): Promise<void> {
  const staleBefore = new Date(now().getTime() - 7 * 86_400_000)
  await writeUnattended(database, principal.tenantId, (tx) =>
    tx.db
      .delete(orphanObjects)
      .where(
        and(
          tx.inTenant(orphanObjects),
          lte(orphanObjects.firstSeenAt, staleBefore),
          sql`${orphanObjects.seenByRun} <> ${run.id}::uuid`,
        ),
      ),
  )
}
