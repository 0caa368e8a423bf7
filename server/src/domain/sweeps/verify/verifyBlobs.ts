import { and, asc, eq, lt, type SQL, sql } from 'drizzle-orm'
import { isAnyOf } from '../../../database/conditions.ts'
import { lockRows } from '../../../database/lockRows.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { BlobStoreUnavailable } from '../../../storage/blobStore.ts'
import { writeInternal } from '../../change.ts'
import { reading, readingOnce } from '../../context.ts'
import { assertOwnBucket } from '../../installation/bucketMarker.ts'
import type { Run, SweepContext } from '../runs/recordRun.ts'
import type { NextLook } from '../runs/sweepSchedule.ts'
import { type VerifiedBytes, liftQuarantine, quarantine, verifyBytes } from './verifyBytes.ts'

/** Bytes without a SHA-256, and bytes in quarantine, are read again after a day. */
const doubtfulAfterMs = 86_400_000
const rowsAtOnce = 100
/** The store can refuse single objects, such as archived ones. If it refuses several in a row, it counts as down. */
const mostFailuresInARow = 3

/**
 * Reads blobs of a tenant and compares them with the commit, least recently verified first. Bytes without a SHA-256 and
 * bytes in quarantine come first: the former get their hash here, and the latter leave quarantine if they are intact
 * again. Damaged bytes go into quarantine.
 *
 * The settings limit the blobs, the bytes and the time of a run. The next run continues. A blob is read within one run,
 * because the state of a SHA-256 is not kept between runs. A blob above the limit gets a run of its own.
 */
export async function verifyBlobs(ctx: SweepContext, run: Run): Promise<void> {
  // In the bucket of another installation, every file would be reported as missing.
  await assertOwnBucket(ctx, run)
  const { verifiedBlobs, verifiedBytes, verifiedForMs } = ctx.settings
  const deadline = performance.now() + verifiedForMs
  const marks = new Marks(ctx, run)
  let readBytes = 0
  try {
    for await (const blob of listDue(ctx)) {
      const isOverBudget = readBytes > 0 && readBytes + blob.byteSize > verifiedBytes
      if (run.tally.examined >= verifiedBlobs || isOverBudget || performance.now() > deadline) break
      readBytes += blob.byteSize
      await verifyOne(ctx, run, blob, marks)
    }
  } finally {
    await marks.write()
  }
  marks.assertAnswered()
}

/** True if a run would find work. Costs one statement if there is nothing to do. */
export async function hasBlobsToVerify(ctx: SweepContext): Promise<boolean> {
  const [found] = await readingOnce(ctx, (tx) => {
    const areDue = groupsOf(ctx).map(
      ({ where, verifiedBefore }) => sql`exists (select 1 from ${blobs}
        where ${blobs.tenantId} = ${tx.tenantId} and ${where} and ${lt(blobs.verifiedAt, verifiedBefore)})`,
    )
    return tx.db.execute(sql`select ${sql.join(areDue, sql` or `)} as "isDue"`)
  })
  return found?.['isDue'] === true
}

/** When the first of the proved blobs is due again. Blobs that are committed later are due later. */
export const nextVerificationAt: NextLook = async (tx, ctx, at) => {
  const { proved } = groupOf(ctx)
  const [first] = await tx.db
    .select({ verifiedAt: blobs.verifiedAt })
    .from(blobs)
    .where(and(tx.inTenant(blobs), proved.where))
    .orderBy(asc(blobs.verifiedAt))
    .limit(1)
  return new Date((first?.verifiedAt ?? at).getTime() + ctx.settings.verifiedAfterMs)
}

/** Blobs without a SHA-256 and blobs in quarantine are due if they were verified before this time. */
export const doubtfulBefore = ({ now, settings }: Pick<SweepContext, 'now' | 'settings'>): Date =>
  new Date(now().getTime() - Math.min(doubtfulAfterMs, settings.verifiedAfterMs))

type DueBlob = Awaited<ReturnType<typeof readDue>>[number]

interface Group {
  /** Must equal the predicate of the index word for word, because plans are made without the values of parameters. */
  readonly where: SQL
  readonly verifiedBefore: Date
}

function groupOf(ctx: SweepContext): Readonly<Record<'doubtful' | 'proved', Group>> {
  const { status, sha256, quarantinedAt } = blobs
  return {
    doubtful: {
      where: sql`${status} = 'ready' and (${sha256} is null or ${quarantinedAt} is not null)`,
      verifiedBefore: doubtfulBefore(ctx),
    },
    proved: {
      where: sql`${status} = 'ready' and ${sha256} is not null and ${quarantinedAt} is null`,
      verifiedBefore: new Date(ctx.now().getTime() - ctx.settings.verifiedAfterMs),
    },
  }
}

const groupsOf = (ctx: SweepContext): Group[] => Object.values(groupOf(ctx))

async function* listDue(ctx: SweepContext): AsyncGenerator<DueBlob> {
  const seen = new Set<string>()
  for (const group of groupsOf(ctx)) {
    for (let after: DueBlob | null = null; ;) {
      const page: DueBlob[] = await reading(ctx, (tx) => readDue(tx, group, after, rowsAtOnce))
      // A blob moves to another list when its hash is verified or its quarantine changes.
      for (const blob of page) if (!seen.has(blob.id)) yield blob
      for (const { id } of page) seen.add(id)
      after = page.at(-1) ?? null
      if (page.length < rowsAtOnce) break
    }
  }
}

const readDue = (
  tx: Transaction,
  group: Group,
  after: { readonly verifiedAt: Date; readonly id: string } | null,
  limit: number,
) =>
  tx.db
    .select({
      id: blobs.id,
      objectKey: blobs.objectKey,
      byteSize: blobs.byteSize,
      etag: blobs.etag,
      sha256: blobs.sha256,
      quarantinedAt: blobs.quarantinedAt,
      verifiedAt: blobs.verifiedAt,
    })
    .from(blobs)
    .where(
      and(
        tx.inTenant(blobs),
        group.where,
        lt(blobs.verifiedAt, group.verifiedBefore),
        after
          ? sql`(${blobs.verifiedAt}, ${blobs.id}) > (${after.verifiedAt.toISOString()}::timestamptz, ${after.id}::uuid)`
          : undefined,
      ),
    )
    .orderBy(asc(blobs.verifiedAt), asc(blobs.id))
    .limit(limit)

async function verifyOne(ctx: SweepContext, run: Run, blob: DueBlob, marks: Marks): Promise<void> {
  const examined = { key: blob.objectKey, byteSize: blob.byteSize }
  run.tally.examined += 1
  let found: VerifiedBytes
  try {
    found = await verifyBytes(ctx.blobs, blob)
  } catch (error) {
    if (!(error instanceof BlobStoreUnavailable)) throw error
    run.tally.addHeld('STORE', examined)
    return marks.addFailure(blob, error)
  }
  const { verdict, sha256, contentEncoding } = found
  if (verdict !== 'SAME') run.tally.addFound(verdict.toLowerCase(), examined)
  else if (blob.quarantinedAt !== null) run.tally.addFound('returned', examined)
  if (contentEncoding !== null) run.tally.addFound('encoded', examined)
  if (!run.isDryRun) {
    if (verdict === 'MISSING' || verdict === 'DIFFERENT') await quarantine(ctx, [{ row: blob, reason: verdict }])
    else if (verdict === 'SAME' && sha256 !== null) await keepHash(ctx, blob, sha256)
    if (verdict === 'SAME' && blob.quarantinedAt !== null) await liftQuarantine(ctx, [blob])
  }
  await marks.add(blob)
}

/** Never replaces a hash: it is the reference for later checks. */
async function keepHash(ctx: SweepContext, blob: DueBlob, sha256: string): Promise<void> {
  if (blob.sha256 !== null || blob.etag === null) return
  const { id, etag } = blob
  await writeInternal(ctx, (tx) =>
    tx.db
      .update(blobs)
      .set({ sha256 })
      .where(
        and(
          tx.inTenant(blobs),
          eq(blobs.id, id),
          eq(blobs.etag, etag),
          sql`${blobs.status} = 'ready' and ${blobs.sha256} is null`,
        ),
      ),
  )
}

/** Marks the examined blobs, in batches, so that the next run starts with others. A dry run writes nothing. */
class Marks {
  readonly #ctx: SweepContext
  readonly #run: Run
  readonly #ids: string[] = []
  /** Marked only after the store has answered for another blob: an outage must not count as a verification. */
  readonly #failed: string[] = []
  #failure: BlobStoreUnavailable | undefined

  constructor(ctx: SweepContext, run: Run) {
    this.#ctx = ctx
    this.#run = run
  }

  async add({ id }: DueBlob): Promise<void> {
    this.#ids.push(id, ...this.#failed.splice(0))
    this.#failure = undefined
    if (this.#ids.length >= rowsAtOnce) await this.write()
  }

  addFailure({ id }: DueBlob, error: BlobStoreUnavailable): void {
    this.#failed.push(id)
    this.#failure = error
    if (this.#failed.length >= mostFailuresInARow) throw error
  }

  async write(): Promise<void> {
    const ids = this.#ids.splice(0)
    if (ids.length === 0 || this.#run.isDryRun) return
    await writeInternal(this.#ctx, async (tx) => {
      await lockRows(tx, blobs, ids)
      await tx.db
        .update(blobs)
        .set({ verifiedAt: this.#ctx.now() })
        .where(and(tx.inTenant(blobs), isAnyOf(blobs.id, ids), sql`${blobs.status} = 'ready'`))
    })
  }

  /** If the last blobs of a run got no answer, the cause can be the blobs or the store. */
  assertAnswered(): void {
    if (this.#failure) throw this.#failure
  }
}
