import { type Run, RunEnded, type SweepContext } from '../cleanup/recordRun.ts'
import { inParallel } from '../inParallel.ts'
import type { Suspect } from './comparePage.ts'
import { liftQuarantine, quarantine } from './quarantine.ts'
import type { ReconciledRow } from './readRows.ts'

const requestsAtOnce = 16

/**
 * Looks at each object itself before anything is said about its row. Bytes that are not there, or not as they were
 * committed, put their row into quarantine, where it is seen and nothing is deleted. An object that is there although
 * even a second listing leaves it out makes the listing one that cannot be believed.
 */
export async function examineSuspects(ctx: SweepContext, run: Run, suspects: readonly Suspect[]): Promise<void> {
  const verdicts = await inParallel(suspects, requestsAtOnce, (suspect) => examine(ctx, suspect))
  const bad: { row: ReconciledRow; reason: Verdict }[] = []
  const good: ReconciledRow[] = []
  suspects.forEach(({ row }, at) => {
    const reason = verdicts[at] ?? 'SAME'
    if (reason !== 'SAME') {
      run.tally.addFound(reason.toLowerCase(), { key: row.objectKey, byteSize: row.byteSize })
      bad.push({ row, reason })
    } else if (row.quarantinedAt !== null) {
      run.tally.addFound('returned', { key: row.objectKey, byteSize: row.byteSize })
      good.push(row)
    }
  })
  if (run.isDryRun) return
  await quarantine(ctx, bad)
  await liftQuarantine(ctx, good)
}

type Verdict = 'SAME' | 'MISSING' | 'DIFFERENT'

async function examine({ blobs }: SweepContext, { row, suspicion }: Suspect): Promise<Verdict> {
  const stored = await blobs.head(row.objectKey)
  if (!stored) return 'MISSING'
  if (stored.byteSize !== row.byteSize || stored.etag !== row.etag) return 'DIFFERENT'
  if (suspicion === 'MISSING') {
    // Committed after its page was listed, or left out by a listing that lies.
    const { objects } = await blobs.list({ prefix: row.objectKey, maxKeys: 1 })
    if (objects[0]?.key !== row.objectKey) {
      throw new RunEnded('REFUSED', 'The listing leaves out objects that are there. Nothing is believed of it.')
    }
  }
  return 'SAME'
}
