import { and, desc, eq, gt, lte, ne } from 'drizzle-orm'
import { cleanupRuns } from '../../../database/tables/cleanupTables.ts'
import { reading } from '../../context.ts'
import { assertOwnBucket } from '../../installation/bucketMarker.ts'
import { type Run, type SweepContext, noteProgress, RunEnded } from '../runs/recordRun.ts'
import { deleteOrphans } from './deleteOrphans.ts'
import { examineSuspects } from './examineSuspects.ts'
import { listInOrder, type ListingPage } from './listInOrder.ts'
import { noteOrphans } from './noteOrphans.ts'
import { comparePage, hasReadyBlobs, readRows, type ReconciledRow, rowsAtOnce } from './readRows.ts'

const staleAfterMs = 24 * 3_600_000

/** Where the last reconcile stopped, if it did not come to its end within the last day; else null. */
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
          // One that a clock ahead of ours has made would be the last for days, whatever comes to its end meanwhile.
          lte(cleanupRuns.createdAt, now),
        ),
      )
      .orderBy(desc(cleanupRuns.createdAt), desc(cleanupRuns.id))
      .limit(1),
  )
  // One that was refused did not believe its listing: that begins again.
  return last?.state === 'FAILED' || last?.state === 'RUNNING' ? last.position : null
}

/** What a killed run has done since it last said how far it is, the next one does again. */
const progressPauseMs = 1_000

/**
 * The bucket against the rows, in both directions: one pass over the ordered listing of the tenant's prefix, beside the
 * rows in the same order. Keeps a page of each in memory, whatever the size; goes on where a run before it died.
 *
 * Each page of the listing is read before the rows of its range, and every object has a row before its address is given
 * out: so what is listed and has no row is nobody's, and not just new. Nothing is deleted before the listing has come to
 * its end in order, and then only what has been watched for the grace period.
 */
export async function reconcileTenant(ctx: SweepContext, run: Run): Promise<void> {
  const start = await findUnfinishedPosition(ctx, run)
  run.tally.position = start
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
  }
  run.tally.position = null
  await deleteOrphans(ctx, run)
}

/** The rows of a page's range can be far more than its objects, where bytes are missing: they come in parts. */
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
