import { and, eq, isNull, lte, or, sql } from 'drizzle-orm'
import { isAnyOf } from '../../../database/conditions.ts'
import { readDatabaseClock } from '../../../database/lockRows.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { change, type Changed, writeInternal } from '../../change.ts'
import { readDoubtfulTimes, wasReleasedInDoubt } from '../../installation/acceptBucket.ts'
import { deleteFromBucket } from '../../installation/deleteFromBucket.ts'
import { withoutFence } from '../runs/fence.ts'
import { type Lease, takeLease } from '../runs/rails.ts'
import type { Run, SweepContext } from '../runs/recordRun.ts'
import { allGates, type BlobEvidence, type CutOff, type Gate, heldBy, identifyObjects } from './gates.ts'
import { readEvidence } from './readEvidence.ts'

/** One pass over released blobs. */
export interface Sweep {
  readonly ctx: SweepContext
  readonly run: Run
  readonly cutOff: CutOff
  /** All gates, except in tests that remove some. */
  readonly gates: Partial<typeof allGates>
  /** Limits the time in which the pass may delete what it has claimed. */
  readonly lease: Lease
}

/**
 * Deletes the objects of blobs that pass every gate and the identity check, then their rows. No transaction is open
 * during requests to the bucket. If the bucket does not answer, the rows are unchanged and a later run tries again. If
 * the run dies in between, rows without an object remain, and the next run removes them.
 */
export async function deleteBlobs(of: Omit<Sweep, 'lease'>, ids: readonly string[]): Promise<void> {
  const { ctx, run } = of
  const sweep = { ...of, lease: takeLease() }
  const { judged, claimed } = await writeInternal(ctx, (tx) => claimThroughGates(tx, sweep, ids))
  // Only after the commit, because the work of a transaction can run twice.
  for (const { blob, gate } of judged) {
    run.tally.examined += 1
    if (gate !== null) run.tally.addHeld(gate, examined(blob))
    else if (run.isDryRun) run.tally.addDeleted(examined(blob))
  }
  if (claimed.length === 0) return
  try {
    const gone = await deleteObjects(sweep, claimed)
    const purged = await change(withoutFence(ctx), (tx) => removeRows(tx, run, gone))
    for (const blob of purged) run.tally.addDeleted(examined(blob))
  } catch (error) {
    await writeInternal(withoutFence(ctx), (tx) => postponeAfterFailure(tx, run.claim, idsOf(claimed)))
    throw error
  }
}

const idsOf = (some: readonly BlobEvidence[]) => some.map(({ id }) => id)
const examined = ({ objectKey, byteSize }: BlobEvidence) => ({ key: objectKey, byteSize })

/** Evaluates the gates for each blob and claims those that may be deleted. A dry run claims none. */
async function claimThroughGates(
  tx: Transaction,
  sweep: Sweep,
  ids: readonly string[],
): Promise<{ readonly judged: readonly Judged[]; readonly claimed: readonly BlobEvidence[] }> {
  const evidence = await readEvidence(tx, ids)
  const [first] = evidence
  const judged = evidence.map((blob) => ({ blob, gate: heldBy(blob, sweep.cutOff, sweep.gates) }))
  if (!first || sweep.run.isDryRun) return { judged, claimed: [] }
  const passed = judged.filter(({ gate }) => gate === null).map(({ blob }) => blob)
  const held = judged.filter(({ gate }) => gate !== null).map(({ blob }) => blob)
  await postpone(tx, idsOf(held), first.databaseNow)
  return { judged, claimed: await claimBlobs(tx, sweep, passed, first.databaseNow) }
}

interface Judged {
  readonly blob: BlobEvidence
  /** The gate that holds the blob. Null if it may be deleted. */
  readonly gate: Gate | null
}

async function claimBlobs(
  tx: Transaction,
  { run, lease }: Sweep,
  passed: readonly BlobEvidence[],
  databaseNow: Date,
): Promise<BlobEvidence[]> {
  const isFree = or(isNull(blobs.purgeClaimedUntil), lte(blobs.purgeClaimedUntil, databaseNow))
  const claimed = await tx.db
    .update(blobs)
    .set({ purgeClaim: run.claim, purgeClaimedUntil: lease.until(databaseNow) })
    .where(and(tx.inTenant(blobs), isAnyOf(blobs.id, idsOf(passed)), isFree))
    .returning({ id: blobs.id })
  const mine = new Set(claimed.map(({ id }) => id))
  return passed.filter(({ id }) => mine.has(id))
}

/**
 * Returns the blobs whose object is deleted. Sends a DELETE even if a HEAD found no object: DELETE is idempotent, and a
 * single 404 can be stale. Only the answer to the DELETE proves the result.
 */
async function deleteObjects({ ctx, run, lease }: Sweep, claimed: readonly BlobEvidence[]): Promise<BlobEvidence[]> {
  const identified = await identifyObjects(ctx.blobs, ctx.principal.tenantId, claimed)
  const strangers = claimed.filter((_blob, at) => identified[at] === 'ANOTHER')
  for (const blob of strangers) run.tally.addHeld('IDENTITY', examined(blob))
  const foreign = await findForeign(
    ctx,
    run,
    claimed.filter((_blob, at) => identified[at] === 'SAME'),
  )
  for (const blob of foreign) run.tally.addHeld('FOREIGN', examined(blob))
  const kept = new Set([...strangers, ...foreign])
  const ours = claimed.filter((blob) => !kept.has(blob))
  const { failed } = await deleteFromBucket(
    ctx,
    lease,
    ours.map(({ objectKey }) => objectKey),
  )
  const refused = new Set(failed.map(({ key }) => key))
  const stuck = ours.filter(({ objectKey }) => refused.has(objectKey))
  for (const blob of stuck) run.tally.addHeld('STORE', examined(blob))
  await writeInternal(withoutFence(ctx), (tx) => postponeAfterFailure(tx, run.claim, idsOf([...kept, ...stuck])))
  return ours.filter(({ objectKey }) => !refused.has(objectKey))
}

/**
 * Bytes of uploads that another database may have committed: see `wasReleasedInDoubt`. They stay until an operator asks
 * for the delete, as do other objects that the history of this database does not explain.
 */
async function findForeign({ database }: SweepContext, run: Run, present: readonly BlobEvidence[]) {
  const uncommitted = present.filter(({ etag }) => etag === null)
  if (uncommitted.length === 0 || run.includesForeign) return []
  const times = await readDoubtfulTimes(database)
  return uncommitted.filter((blob) => wasReleasedInDoubt(blob, times))
}

/** Removes only rows that this run still has claimed. */
async function removeRows(tx: Transaction, run: Run, gone: readonly BlobEvidence[]): Promise<Changed<BlobEvidence[]>> {
  const removed = await tx.db
    .delete(blobs)
    .where(and(tx.inTenant(blobs), isAnyOf(blobs.id, idsOf(gone)), eq(blobs.purgeClaim, sql`${run.claim}::uuid`)))
    .returning({ id: blobs.id })
  const ids = new Set(removed.map(({ id }) => id))
  const purged = gone.filter(({ id }) => ids.has(id))
  return {
    answer: purged,
    records: purged.map(({ id, objectKey, byteSize }) => ({
      action: 'blob.purged',
      id,
      name: null,
      payload: { objectKey, byteSize },
    })),
    usage: { freedBytes: purged.reduce((sum, { byteSize }) => sum + byteSize, 0) },
  }
}

const heldForMs = 3_600_000

/** Postpones blobs that a gate held, for an hour. A requested run examines them anyway. */
async function postpone(tx: Transaction, ids: readonly string[], databaseNow: Date): Promise<void> {
  if (ids.length === 0) return
  await tx.db
    .update(blobs)
    .set({ purgeNotBefore: new Date(databaseNow.getTime() + heldForMs) })
    .where(and(tx.inTenant(blobs), isAnyOf(blobs.id, ids)))
}

/** After the n-th refusal of the store: 30 s times two to the n, at most 6 hours. */
async function postponeAfterFailure(tx: Transaction, claim: string, ids: readonly string[]): Promise<void> {
  if (ids.length === 0) return
  const now = sql`${(await readDatabaseClock(tx)).toISOString()}::timestamptz`
  const waits = sql`least(30 * power(2, least(${blobs.purgeAttempts}, 20)), 21600) * interval '1 second'`
  await tx.db
    .update(blobs)
    .set({
      purgeClaim: null,
      purgeClaimedUntil: null,
      purgeAttempts: sql`${blobs.purgeAttempts} + 1`,
      purgeNotBefore: sql`${now} + ${waits}`,
    })
    .where(and(tx.inTenant(blobs), isAnyOf(blobs.id, ids), eq(blobs.purgeClaim, sql`${claim}::uuid`)))
}
