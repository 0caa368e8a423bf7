import { and, lt } from 'drizzle-orm'
import pMap from 'p-map'
import { isAnyOf } from '../../../database/conditions.ts'
import { fileVersions } from '../../../database/tables/fileTables.ts'
import type { BlobStore, ReadOptions } from '../../../storage/blobStore.ts'
import { reading } from '../../context.ts'
import { type Run, RunEnded, type SweepContext } from '../runs/recordRun.ts'
import { type Damage, type VerifiedBytes, liftQuarantine, quarantine, verifyBytes } from '../verify/verifyBytes.ts'
import type { Suspect, ReconciledRow } from './readRows.ts'

const requestsAtOnce = 16

/** Longer than reading a page of rows takes, and longer than our clocks can differ. */
const committedMeanwhileMs = 5 * 60_000

/**
 * Checks each object itself before its row is reported. If the bytes are missing or damaged, the row goes into
 * quarantine, where it is visible and nothing is deleted. If an object exists that the listing omitted, and it was
 * committed long before the listing, the listing is refused.
 */
export async function examineSuspects(
  ctx: SweepContext,
  run: Run,
  suspects: readonly Suspect[],
  askedAt: Date,
): Promise<void> {
  const verdicts = await pMap(suspects, (suspect) => examine(ctx, suspect), { concurrency: requestsAtOnce })
  const bad: { row: ReconciledRow; reason: Damage }[] = []
  const good: ReconciledRow[] = []
  const leftOut: ReconciledRow[] = []
  suspects.forEach(({ row, suspicion }, at) => {
    const reason = verdicts[at] ?? 'SAME'
    if (reason === 'UNPROVEN') return
    if (reason !== 'SAME') bad.push({ row, reason })
    else if (row.quarantinedAt !== null) good.push(row)
    if (reason === 'SAME' && suspicion === 'MISSING') leftOut.push(row)
  })
  await refuseIfCommittedLongAgo(ctx, leftOut, askedAt)
  for (const { row, reason } of bad) {
    run.tally.addFound(reason.toLowerCase(), { key: row.objectKey, byteSize: row.byteSize })
  }
  for (const row of good) run.tally.addFound('returned', { key: row.objectKey, byteSize: row.byteSize })
  if (run.isDryRun) return
  await quarantine(ctx, bad)
  await liftQuarantine(ctx, good)
}

type Verdict = VerifiedBytes['verdict']

/** Confirms every defect: what a HEAD reports as missing or different is requested again over another connection. */
async function examine({ blobs }: SweepContext, { row, suspicion }: Suspect): Promise<Verdict> {
  // The damage behind a quarantine can be invisible in size and ETag.
  if (suspicion === 'RETURNED') return (await verifyBytes(blobs, row)).verdict
  const first = await compare(blobs, row, {})
  const verdict = first === 'SAME' ? first : await compare(blobs, row, { onNewConnection: true })
  if (verdict === 'SAME' && suspicion === 'MISSING') {
    const { objects } = await blobs.list({ prefix: row.objectKey, maxKeys: 1 })
    if (objects[0]?.key !== row.objectKey) throw leavesOut()
  }
  return verdict
}

async function compare(blobs: BlobStore, row: ReconciledRow, how: ReadOptions): Promise<Damage | 'SAME'> {
  const stored = await blobs.head(row.objectKey, how)
  if (!stored) return 'MISSING'
  return stored.byteSize === row.byteSize && stored.etag === row.etag ? 'SAME' : 'DIFFERENT'
}

/**
 * An object that exists but was not listed may have been committed just afterwards. Otherwise the listing skips keys or
 * ends too soon.
 */
async function refuseIfCommittedLongAgo(ctx: SweepContext, rows: readonly ReconciledRow[], askedAt: Date) {
  if (rows.length === 0) return
  const longAgo = new Date(askedAt.getTime() - committedMeanwhileMs)
  const ids = rows.map(({ id }) => id)
  const found = await reading(ctx, (tx) =>
    tx.db
      .select({ blobId: fileVersions.blobId })
      .from(fileVersions)
      .where(and(tx.inTenant(fileVersions), isAnyOf(fileVersions.blobId, ids), lt(fileVersions.createdAt, longAgo)))
      .limit(1),
  )
  if (found.length > 0) throw leavesOut()
}

const leavesOut = () =>
  new RunEnded('REFUSED', 'The listing leaves out objects that are there. Nothing is believed of it.')
