import { assertOwnBucket } from '../../installation/bucketMarker.ts'
import { abortInBucket } from '../../installation/deleteFromBucket.ts'
import { takeLease } from '../runs/rails.ts'
import type { Run, SweepContext } from '../runs/recordRun.ts'

/** Longer than any upload intent lives, and than a wrong clock is off. */
const staleAfterMs = 7 * 86_400_000

/**
 * Drops multipart uploads under the tenant's prefix that nobody finished. We begin none ourselves, but everybody who has the
 * keys of the bucket may, and their parts cost space that no listing of objects shows.
 */
export async function abortStaleUploads(ctx: SweepContext, { tally, isDryRun }: Run): Promise<void> {
  await assertOwnBucket(ctx, { isDryRun })
  const begunBefore = ctx.now().getTime() - staleAfterMs
  let marker = null
  do {
    const page = await ctx.blobs.listUnfinishedUploads(`org/${ctx.principal.tenantId}/`, marker)
    for (const { key, uploadId, initiated } of page.uploads) {
      const examined = { key, byteSize: null }
      tally.examined += 1
      if (initiated.getTime() > begunBefore) tally.addHeld('GRACE', examined)
      else {
        if (!isDryRun) await abortInBucket(ctx, takeLease(), key, uploadId)
        tally.addDeleted(examined)
      }
    }
    marker = page.next
  } while (marker !== null)
}
