import { and, asc, eq, gte, lt } from 'drizzle-orm'
import { randomUUID } from 'node:crypto'
import { blobs } from '../../database/tables/fileTables.ts'
import { reading } from '../context.ts'
import type { Run, SweepContext } from '../cleanup/recordRun.ts'
import { assertOwnBucket } from './bucketMarker.ts'
import { liftQuarantine, quarantine } from './quarantine.ts'
import { verifyBytes } from './verifyBytes.ts'

type Sampled = Pick<typeof blobs.$inferSelect, 'id' | 'objectKey' | 'byteSize' | 'etag' | 'sha256' | 'quarantinedAt'>

/** Looks at some of the tenant's blobs, chosen by chance, as a reader would find them. */
export async function verifySample(ctx: SweepContext, run: Run): Promise<void> {
  // In another's bucket nothing would be found, and every file accused.
  await assertOwnBucket(ctx)
  for (const blob of await chooseBlobs(ctx)) {
    const examined = { key: blob.objectKey, byteSize: blob.byteSize }
    const { verdict } = await verifyBytes(ctx.blobs, blob)
    const reason = verdict === 'SAME' || verdict === 'UNPROVEN' ? null : verdict
    run.tally.examined += 1
    if (reason !== null) run.tally.addFound(reason.toLowerCase(), examined)
    else if (blob.quarantinedAt !== null) run.tally.addFound('returned', examined)
    if (run.isDryRun) continue
    if (reason !== null) await quarantine(ctx, [{ row: blob, reason }])
    else if (blob.quarantinedAt !== null) await liftQuarantine(ctx, [blob])
  }
}

/** From a place in the order of ids that chance chooses, and on from the beginning where that is near the end. */
async function chooseBlobs(ctx: SweepContext): Promise<Sampled[]> {
  const { verifiedBlobs } = ctx.settings
  const ends = await reading(ctx, (tx) =>
    tx.db
      .select({ id: blobs.id, createdAt: blobs.createdAt })
      .from(blobs)
      .where(and(tx.mine(blobs), eq(blobs.status, 'ready')))
      .orderBy(asc(blobs.id))
      .limit(1),
  )
  const [first] = ends
  if (!first) return []
  // Ids begin with their time: a random moment since the first one is a random place among them.
  const span = Math.max(1, ctx.now().getTime() - first.createdAt.getTime())
  const moment = first.createdAt.getTime() + Math.floor(Math.random() * span)
  const from = idFromTime(moment)
  return reading(ctx, async (tx) => {
    const select = (bound: ReturnType<typeof gte>, limit: number) =>
      tx.db
        .select({
          id: blobs.id,
          objectKey: blobs.objectKey,
          byteSize: blobs.byteSize,
          etag: blobs.etag,
          sha256: blobs.sha256,
          quarantinedAt: blobs.quarantinedAt,
        })
        .from(blobs)
        .where(and(tx.mine(blobs), eq(blobs.status, 'ready'), bound))
        .orderBy(asc(blobs.id))
        .limit(limit)
    const behind = await select(gte(blobs.id, from), verifiedBlobs)
    const missing = verifiedBlobs - behind.length
    return missing === 0 ? behind : [...behind, ...(await select(lt(blobs.id, from), missing))]
  })
}

/** The least id of a millisecond, with some chance in it. */
function idFromTime(milliseconds: number): string {
  const hex = milliseconds.toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-7${randomUUID().slice(15)}`
}
