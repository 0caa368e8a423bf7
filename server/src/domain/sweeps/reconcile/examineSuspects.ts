import { and, lt } from 'drizzle-orm'
import pMap from 'p-map'
import { isAnyOf } from '../../../database/conditions.ts'
import { fileVersions } from '../../../database/tables/fileTables.ts'
import type { BlobStore, ReadOptions } from '../../../storage/blobStore.ts'
import { reading } from '../../context.ts'
import { type Run, RunEnded, type SweepContext } from '../runs/recordRun.ts'
import { liftQuarantine, quarantine } from '../verify/quarantine.ts'
import { type Damage, type VerifiedBytes, verifyBytes } from '../verify/verifyBytes.ts'
import type { Suspect, ReconciledRow } from './readRows.ts'

const requestsAtOnce = 16

/** Longer than a page of rows takes to be read, and than the clocks of our own machines are apart. */
const committedMeanwhileMs = 5 * 60_000

/**
 * Looks at each object itself before anything is said about its row. Bytes that are not there, or not as they were
 * committed, put their row into quarantine, where it is seen and nothing is deleted. An object that is there although
 * the listing left it out, and that was committed long before the store was asked for it, makes the listing one that
 * cannot be believed.
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

/** One answer accuses nobody: what a HEAD finds missing or different is asked for again over another connection. */
async function examine({ blobs }: SweepContext, { row, suspicion }: Suspect): Promise<Verdict> {
  // The damage that put it into quarantine may show in neither size nor ETag.
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

/** What is there and was not listed may have been committed just after. Or the listing skips keys, or ends too soon. */
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
