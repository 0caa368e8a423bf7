import { isId } from '../../ids.ts'
import { assertOwnBucket } from '../../installation/bucketMarker.ts'
import { abortInBucket } from '../../installation/deleteFromBucket.ts'
import { findKnownTenants } from '../../tenants/findTenant.ts'
import { takeLease } from '../runs/rails.ts'
import type { Run, SweepContext } from '../runs/recordRun.ts'

/** Longer than any upload intent lives, and longer than a wrong clock can differ. */
export const staleAfterMs = 7 * 86_400_000

/**
 * Lists the tenants of this database that have stale multipart uploads under their prefix. One listing of the whole bucket
 * finds them, because most tenants never have any.
 */
export async function listTenantsWithStaleUploads(
  ctx: Pick<SweepContext, 'blobs' | 'database' | 'now'>,
): Promise<string[]> {
  const begunBefore = ctx.now().getTime() - staleAfterMs
  const found = new Set<string>()
  let marker = null
  do {
    const page = await ctx.blobs.listUnfinishedUploads('org/', marker)
    for (const { key, initiated } of page.uploads) {
      const tenant = key.split('/')[1] ?? ''
      if (initiated.getTime() <= begunBefore && isId(tenant)) found.add(tenant)
    }
    marker = page.next
  } while (marker !== null)
  return [...(await findKnownTenants(ctx.database, [...found]))]
}

/**
 * Aborts unfinished multipart uploads under the tenant's prefix that are older than a week. Filegraph begins none, but other
 * programs with the keys of the bucket can. Their parts use space that no listing of objects shows.
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
