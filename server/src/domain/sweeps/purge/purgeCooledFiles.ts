import { and, asc, getColumns, isNotNull, isNull, lte, sql } from 'drizzle-orm'
import { databaseClock, readDatabaseClock } from '../../../database/lockRows.ts'
import { blobs, files, fileVersions } from '../../../database/tables/fileTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { change, type Changed } from '../../change.ts'
import { earliest } from '../../clocks.ts'
import { reading } from '../../context.ts'
import type { LockedFile } from '../../files/changeFile.ts'
import { readTenant } from '../../tenants/findTenant.ts'
import type { Run, SweepContext } from '../runs/recordRun.ts'
import type { NextLook } from '../runs/sweepSchedule.ts'
import { purgeFileRows } from './purgeFile.ts'
import { countedAttachments, countedIntents } from './readEvidence.ts'

const batchFiles = 100
const dayMs = 86_400_000
const emptyTrashPauseMs = 3_600_000

/** What holds a file whose time in the trash has ended. */
type FileGate = 'HOLD' | 'ATTACHED' | 'PENDING_INTENT' | 'INCONSISTENT'

type CooledFile = LockedFile & {
  readonly attachmentRows: number
  readonly pendingIntents: number
  /** Versions whose blob is in the wrong state: a defect that a person has to examine. */
  readonly brokenVersions: number
}

/**
 * The first phase of the purge: deletes the versions of files whose time in the trash has ended, and releases their
 * bytes.
 */
export async function purgeCooledFiles(ctx: SweepContext, run: Run): Promise<void> {
  const cutOff = await cutOffOf(ctx, run.before)
  for (let after: Place | null = null; ;) {
    const batch: CooledFile[] = await change(ctx, (tx) => purgeBatch(tx, { ctx, run, cutOff }, after))
    tallyBatch(run, batch)
    const last = batch.at(-1)
    if (!last?.softDeletedAt || batch.length < batchFiles) return
    after = { at: last.softDeletedAt, id: last.id }
  }
}

/** True if a run would find work. Otherwise no run is made. */
export async function hasCooledFiles(ctx: SweepContext): Promise<boolean> {
  const cutOff = await cutOffOf(ctx, null)
  return reading(ctx, async (tx) => {
    const found = await tx.db
      .select({ id: files.id })
      .from(files)
      .where(and(tx.inTenant(files), isCooled(cutOff), isNull(files.heldAt)))
      .limit(1)
    return found.length > 0
  })
}

/** When the first file of the trash is due. If the trash is empty: the earliest time for a file that is deleted from now on. */
export const nextPurgeAt: NextLook = async (tx, _ctx, at) => {
  const { trashDays } = await readTenant(tx)
  const [first] = await tx.db
    .select({ softDeletedAt: files.softDeletedAt })
    .from(files)
    .where(and(tx.inTenant(files), isNotNull(files.softDeletedAt), isNull(files.purgedAt), isNull(files.heldAt)))
    .orderBy(asc(files.softDeletedAt))
    .limit(1)
  // A tenant whose trash keeps nothing is not looked at every few minutes.
  const coolsMs = Math.max(trashDays * dayMs, emptyTrashPauseMs)
  return new Date(first?.softDeletedAt ? first.softDeletedAt.getTime() + trashDays * dayMs : at.getTime() + coolsMs)
}

/** By the earlier clock, so that a fast clock purges no file early. */
async function cutOffOf(ctx: SweepContext, before: Date | null): Promise<Date> {
  return reading(ctx, async (tx) => {
    const { trashDays } = await readTenant(tx)
    const now = earliest(ctx.now(), await readDatabaseClock(tx))
    const cooled = new Date(now.getTime() - trashDays * dayMs)
    return before === null ? cooled : earliest(cooled, before)
  })
}

interface Place {
  readonly at: Date
  readonly id: string
}

async function purgeBatch(
  tx: Transaction,
  { ctx, run, cutOff }: { readonly ctx: SweepContext; readonly run: Run; readonly cutOff: Date },
  after: Place | null,
): Promise<Changed<CooledFile[]>> {
  const batch = await lockCooled(tx, cutOff, after)
  const doomed = batch.filter((file) => gateOf(file) === null)
  const purged = await purgeFileRows(tx, ctx, run.isDryRun ? [] : doomed)
  return { ...purged, answer: batch }
}

/** After the commit, because a batch that was rolled back has deleted nothing. */
function tallyBatch({ tally }: Run, batch: readonly CooledFile[]): void {
  for (const file of batch) {
    const gate = gateOf(file)
    const examined = { key: file.id, byteSize: file.byteSize }
    tally.examined += 1
    if (gate === null) tally.addDeleted(examined)
    else tally.addHeld(gate, examined)
  }
}

function gateOf(file: CooledFile): FileGate | null {
  if (file.heldAt !== null) return 'HOLD'
  if (file.attachmentCount > 0 || file.attachmentRows > 0) return 'ATTACHED'
  if (file.pendingIntents > 0) return 'PENDING_INTENT'
  return file.brokenVersions > 0 ? 'INCONSISTENT' : null
}

function lockCooled(tx: Transaction, cutOff: Date, after: Place | null): Promise<CooledFile[]> {
  const broken = sql<number>`(select count(*) from ${fileVersions} join ${blobs}
    on ${blobs.tenantId} = ${fileVersions.tenantId} and ${blobs.id} = ${fileVersions.blobId}
    where ${fileVersions.tenantId} = ${files.tenantId} and ${fileVersions.fileId} = ${files.id}
      and ${blobs.status} <> 'ready')`
  const behind =
    after && sql`(${files.softDeletedAt}, ${files.id}) > (${after.at.toISOString()}::timestamptz, ${after.id}::uuid)`
  return tx.db
    .select({
      ...getColumns(files),
      databaseNow: databaseClock,
      attachmentRows: countedAttachments.mapWith(Number),
      pendingIntents: countedIntents.mapWith(Number),
      brokenVersions: broken.mapWith(Number),
    })
    .from(files)
    .where(and(tx.inTenant(files), isCooled(cutOff), behind ?? undefined))
    .orderBy(asc(files.softDeletedAt), asc(files.id))
    .limit(batchFiles)
    .for('update', { skipLocked: true })
}

const isCooled = (cutOff: Date) =>
  and(isNotNull(files.softDeletedAt), isNull(files.purgedAt), lte(files.softDeletedAt, cutOff))
