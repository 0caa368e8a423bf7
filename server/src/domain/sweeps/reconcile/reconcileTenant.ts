import { and, desc, eq, gt, lte, ne } from 'drizzle-orm'
import { cleanupRuns } from '../../../database/tables/cleanupTables.ts'
import { reading } from '../../context.ts'
import { assertOwnBucket } from '../../installation/bucketMarker.ts'
import { type Run, type SweepContext, noteProgress, RunEnded, TurnOver } from '../runs/recordRun.ts'
import { deleteOrphans } from './deleteOrphans.ts'
import { examineSuspects } from './examineSuspects.ts'
import { listInOrder, type ListingPage } from './listInOrder.ts'
import { noteOrphans } from './noteOrphans.ts'
import { comparePage, hasReadyBlobs, readRows, type ReconciledRow, rowsAtOnce } from './readRows.ts'

const staleAfterMs = 24 * 3_600_000

/** The position of the last reconcile if it did not finish and started within the last day. Otherwise null. */
export async function findUnfinishedPosition(ctx: SweepContext, run: Run): Promise<string | null> {
  if (run.isDryRun || run.isRequested) return null
  const now = ctx.now()
  const [last] = await reading(ctx, (tx) =>
    tx.db
      .select({ state: cleanupRuns.state, position: cleanupRuns.position })
      .from(cleanupRuns)
      .where(
        and(
          tx.inTenant(cleanupRuns),
          eq(cleanupRuns.kind, 'RECONCILE'),
          eq(cleanupRuns.isDryRun, false),
          ne(cleanupRuns.id, run.id),
          gt(cleanupRuns.createdAt, new Date(now.getTime() - staleAfterMs)),
          // A run from a fast clock would otherwise count as the last one for days.
          lte(cleanupRuns.createdAt, now),
        ),
      )
      .orderBy(desc(cleanupRuns.createdAt), desc(cleanupRuns.id))
      .limit(1),
  )
  // A refused run did not believe its listing, so the next one starts at the beginning.
  return last?.state === 'FAILED' || last?.state === 'RUNNING' ? last.position : null
}

/** After a crash, the next run repeats at most this much work. */
const progressPauseMs = 1_000

/**
 * Compares the bucket and the rows in both directions, in one pass over the ordered listing and the rows in the same
 * order. Holds one page of each in memory. Continues where an earlier run died.
 *
 * Each page of the listing is read before its rows, and every object has a row before its URL is issued. A listed
 * object without a row is therefore an orphan and not just new. Deletes start only after the listing has ended in
 * order, and only for objects that were watched for the grace period.
 */
export async function reconcileTenant(ctx: SweepContext, run: Run): Promise<void> {
  // A continued run has its own position. A new run can continue where a run of a dead worker stopped.
  const start = run.tally.position ?? (await findUnfinishedPosition(ctx, run))
  run.tally.position = start
  const turnEnds = performance.now() + (ctx.turnMs ?? Infinity)
  await assertOwnBucket(ctx, run)
  let listed = 0
  let noteAt = 0
  for await (const page of listInOrder(ctx, start)) {
    listed += page.objects.length
    if (start === null && page.isLast && listed === 0 && (await hasReadyBlobs(ctx))) {
      throw new RunEnded('REFUSED', 'The listing is empty although there are files. Nothing is believed of it.')
    }
    await reconcilePage(ctx, run, page)
    run.tally.position = page.position ?? run.tally.position
    if (!run.isDryRun && performance.now() > noteAt) {
      await noteProgress(ctx, run)
      noteAt = performance.now() + progressPauseMs
    }
    const isTurnOver = performance.now() > turnEnds || ctx.isStopping?.() === true
    if (page.position !== null && isTurnOver) throw new TurnOver('The next turn lists the rest')
  }
  run.tally.position = null
  await deleteOrphans(ctx, run)
}

/** If bytes are missing, the range of a page can have far more rows than objects. The rows are read in parts. */
async function reconcilePage(ctx: SweepContext, run: Run, page: ListingPage): Promise<void> {
  let { objects } = page
  if (page.rows === null) return reconcilePart(ctx, run, { ...page, objects, rows: [] })
  for (let from = page.rows.from; ;) {
    const rows = await readRows(ctx, from, page.rows.before)
    const next = rows[rowsAtOnce]?.id ?? null
    const bound = `org/${ctx.principal.tenantId}/files/${next}`
    const end = next === null ? objects.length : objects.findIndex(({ key }) => key >= bound)
    const part = end < 0 ? objects : objects.slice(0, end)
    await reconcilePart(ctx, run, { ...page, objects: part, rows: rows.slice(0, rowsAtOnce) })
    if (next === null) return
    objects = objects.slice(part.length)
    from = next
  }
}

async function reconcilePart(
  ctx: SweepContext,
  run: Run,
  { askedAt, objects, rows }: Pick<ListingPage, 'askedAt' | 'objects'> & { readonly rows: readonly ReconciledRow[] },
): Promise<void> {
  const { orphans, suspects } = comparePage(objects, rows)
  run.tally.examined += objects.length
  for (const orphan of orphans) run.tally.addFound('orphan', orphan)
  await noteOrphans(ctx, run, orphans)
  await examineSuspects(ctx, run, suspects, askedAt)
}
