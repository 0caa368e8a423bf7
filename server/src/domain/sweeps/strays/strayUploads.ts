import { eq } from 'drizzle-orm'
import { strayPrefixes } from '../../../database/tables/cleanupTables.ts'
import type { UnfinishedUpload, UploadMarker } from '../../../storage/blobStore.ts'
import { isId } from '../../ids.ts'
import { abortInBucket } from '../../installation/deleteFromBucket.ts'
import { readInstallation } from '../../installation/installation.ts'
import { limits } from '../../limits.ts'
import { findKnownTenants } from '../../tenants/findTenant.ts'
import { staleAfterMs } from '../expire/abortStaleUploads.ts'
import { blobIdIn } from '../reconcile/listInOrder.ts'
import { type OrphanEvidence, orphanHeldBy, type OrphanRule } from '../reconcile/orphanGates.ts'
import type { Orphan } from '../reconcile/readOrphanEvidence.ts'
import { takeLease } from '../runs/rails.ts'
import type { SweepContext } from '../runs/recordRun.ts'
import type { StrayContext, StrayRun } from './strayRecords.ts'

/** Unfinished multipart uploads by tenant id, for each tenant that this database does not have. */
export type StrayUploads = ReadonlyMap<string, readonly UnfinishedUpload[]>

/**
 * Lists the unfinished multipart uploads of unknown tenants. Their parts use space that no listing of objects shows. Tenants
 * are looked up after each page, because the row of a tenant is committed before its first upload can begin. A key that
 * Filegraph cannot have named is counted as `unnamed` and its upload is never aborted.
 */
export async function listStrayUploads(ctx: StrayContext, run: StrayRun): Promise<StrayUploads> {
  const found = new Map<string, UnfinishedUpload[]>()
  let marker: UploadMarker | null = null
  for (let listings = 0; listings < limits.strayListingsPerRun; listings += 1) {
    const page = await ctx.blobs.listUnfinishedUploads(`org/${run.tenant === null ? '' : `${run.tenant}/`}`, marker)
    const uploads = page.uploads.map((upload) => ({ ...upload, tenant: tenantIn(upload.key) }))
    const known = await findKnownTenants(
      ctx.database,
      uploads.flatMap(({ tenant }) => tenant ?? []),
    )
    for (const { tenant, ...upload } of uploads) {
      if (tenant === null || known.has(tenant)) continue
      const isNamedByUs = blobIdIn(upload.key, `org/${tenant}/`) !== null
      run.tally.examined += 1
      run.tally.addFound(isNamedByUs ? 'upload' : 'unnamed', { key: upload.key, byteSize: null })
      if (!isNamedByUs) continue
      const ofTenant = found.get(tenant)
      if (ofTenant) ofTenant.push(upload)
      else found.set(tenant, [upload])
    }
    marker = page.next
    if (marker === null || run.tally.examined >= limits.strayObjectsPerRun) break
  }
  return found
}

function tenantIn(key: string): string | null {
  const [, id = ''] = key.split('/')
  return isId(id) ? id : null
}

const isStale = ({ initiated }: UnfinishedUpload, now: Date) => initiated.getTime() + staleAfterMs <= now.getTime()

/** The number of uploads that are old enough to be aborted. The brake adds it to the number of objects. */
export const countStale = ({ now }: Pick<StrayContext, 'now'>, uploads: StrayUploads): number =>
  [...uploads.values()].flat().filter((upload) => isStale(upload, now())).length

export interface UploadHandling {
  /** Asks the witnesses of ROWS, BUCKET and FOREIGN, which are the same for an object and for an upload. */
  readonly readEvidence: (ctx: SweepContext, orphans: readonly Orphan[]) => Promise<OrphanEvidence[]>
  readonly record: (ctx: SweepContext, aborted: readonly UnfinishedUpload[]) => Promise<unknown>
}

const batchUploads = 100

/** Aborts those uploads of one unknown tenant that all gates of orphans let through. */
export async function abortStrayUploads(
  ctx: SweepContext,
  run: StrayRun,
  uploads: readonly UnfinishedUpload[],
  handling: UploadHandling,
): Promise<void> {
  const rule: OrphanRule = {
    installationId: (await readInstallation(ctx.database)).id,
    runId: run.isDryRun ? null : run.id,
    graceMs: Math.max(ctx.settings.orphanGraceMs, staleAfterMs),
    includesForeign: run.includesForeign,
  }
  const watch = await readWatch(ctx)
  for (let at = 0; at < uploads.length; at += batchUploads) {
    const batch = uploads.slice(at, at + batchUploads)
    const lease = takeLease()
    const orphans = batch.map(({ key, uploadId }) => ({ objectKey: key, byteSize: 0, etag: uploadId, ...watch }))
    const evidence = await handling.readEvidence(ctx, orphans)
    const aborted: UnfinishedUpload[] = []
    for (const [index, upload] of batch.entries()) {
      const examined = { key: upload.key, byteSize: null }
      const orphan = evidence[index]
      const gate = orphan ? orphanHeldBy({ ...orphan, stored: storedAs(upload) }, rule) : 'ROWS'
      if (gate !== null) {
        run.tally.addHeld(gate, examined)
        continue
      }
      if (!run.isDryRun) await abortInBucket(ctx, lease, upload.key, upload.uploadId)
      run.tally.addDeleted(examined)
      aborted.push(upload)
    }
    if (!run.isDryRun && aborted.length > 0) await handling.record(ctx, aborted)
  }
}

/** The witness of WATCH: since when this database has seen the prefix. A prefix without a row counts as seen now. */
async function readWatch({ database, principal: { tenantId }, now }: SweepContext) {
  const [known] = await database.lookUp((db) =>
    db
      .select({ firstSeenAt: strayPrefixes.firstSeenAt, seenByRun: strayPrefixes.seenByRun })
      .from(strayPrefixes)
      .where(eq(strayPrefixes.prefix, `org/${tenantId}/`)),
  )
  return { tenantId, ...(known ?? { firstSeenAt: now(), seenByRun: '' }) }
}

/** The witness of OBJECT. An unfinished upload has no metadata, so it cannot name the installation that began it. */
const storedAs = ({ uploadId, initiated }: UnfinishedUpload): OrphanEvidence['stored'] => ({
  byteSize: 0,
  etag: uploadId,
  lastModified: initiated,
  installation: null,
})
