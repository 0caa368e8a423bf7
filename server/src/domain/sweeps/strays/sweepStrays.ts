import { tenants } from '../../../database/tables/identityTables.ts'
import { installationLog } from '../../../database/tables/cleanupTables.ts'
import { eq } from 'drizzle-orm'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { writeUnattended } from '../../change.ts'
import { systemPrincipal } from '../../context.ts'
import { newId } from '../../ids.ts'
import { assertOwnBucket } from '../../installation/bucketMarker.ts'
import { limits } from '../../limits.ts'
import { findTenantById } from '../../tenants/findTenant.ts'
import { countOrphans, deleteOrphans, endWatch, type OrphanHandling } from '../reconcile/deleteOrphans.ts'
import { blobIdIn, type ListedObject, listInOrder } from '../reconcile/listInOrder.ts'
import { noteOrphans } from '../reconcile/noteOrphans.ts'
import { readOrphanEvidence } from '../reconcile/readOrphanEvidence.ts'
import { refuseBeyondBrake } from '../runs/rails.ts'
import type { Run, SweepContext } from '../runs/recordRun.ts'
import { forgetStrays, keepStray, readPosition, type Stray, type StrayContext, type StrayRun } from './strayRecords.ts'
import {
  abortStrayUploads,
  countStale,
  listStrayUploads,
  type StrayUploads,
  type UploadHandling,
} from './strayUploads.ts'
import { type StrayPrefix, type Walk, walkStrays } from './walkStrays.ts'

const toldStrays = 100

/**
 * Finds objects and unfinished multipart uploads that belong to no tenant of this database. The sweep walks the bucket once. It
 * skips objects of known tenants and watches objects of unknown tenants as a reconcile watches orphans. It only reports other
 * objects, because another application can share the bucket.
 *
 * A copied or restored database does not know tenants that were created later. The gates of orphans therefore decide here too.
 * This database has no history of such a tenant, so FOREIGN keeps every object until an operator asks for the delete.
 */
export async function sweepStrays(ctx: StrayContext, run: StrayRun): Promise<void> {
  await assertOwnBucket(ctx, run)
  const isWhole = run.tenant === null
  const from = isWhole && !run.isDryRun ? await readPosition(ctx) : null
  const walk: Walk = { position: from, mostListings: limits.strayListingsPerRun }
  const listed: string[] = []
  let others = 0
  for await (const stray of run.tenant === null ? walkStrays(ctx, walk) : oneTenant(ctx, run.tenant)) {
    if (stray.tenant === null) others += 1
    else listed.push(stray.tenant)
    await watch(ctx, run, stray)
    const isFull = listed.length >= limits.strayTenantsPerRun || others >= limits.otherPrefixesPerRun
    if (isFull || run.tally.examined >= limits.strayObjectsPerRun) break
  }
  if (isWhole) run.tally.position = walk.position
  const uploads = await listStrayUploads(ctx, run)
  for (const [tenant, [first]] of uploads) {
    if (!first || listed.includes(tenant)) continue
    listed.push(tenant)
    await watch(ctx, run, { prefix: `org/${tenant}/`, tenant, exampleKey: first.key })
  }
  await deleteDue(ctx, run, listed, uploads)
  if (isWhole && !run.isDryRun && from === null && walk.position === null) await forgetStrays(ctx, run)
}

async function* oneTenant({ blobs, database }: StrayContext, tenant: string): AsyncGenerator<StrayPrefix> {
  const prefix = `org/${tenant}/`
  const { objects } = await blobs.list({ prefix, maxKeys: 1 })
  const [first] = objects
  if (first && (await findTenantById(database, tenant)) === null) yield { prefix, tenant, exampleKey: first.key }
}

async function watch(ctx: StrayContext, run: StrayRun, found: StrayPrefix): Promise<void> {
  const stray =
    found.tenant === null
      ? { ...found, objectCount: null, byteSize: null }
      : await watchTenant(inTenant(ctx, found.tenant), run, found)
  if (stray.tenant === null) run.tally.addFound('other', { key: stray.exampleKey, byteSize: null })
  if (run.strays.length < toldStrays) run.strays.push(stray)
  if (!run.isDryRun) await keepStray(ctx, run, stray)
}

/** Objects whose keys Filegraph cannot have made are counted and not watched. Nothing deletes them. */
async function watchTenant(tenant: SweepContext, run: StrayRun, found: StrayPrefix): Promise<Stray> {
  let [objectCount, byteSize] = [0, 0]
  for await (const { objects } of listInOrder(tenant, null)) {
    const isNamedByUs = ({ key }: ListedObject) => blobIdIn(key, found.prefix) !== null
    for (const object of objects) {
      objectCount += 1
      byteSize += object.byteSize
      run.tally.addFound(isNamedByUs(object) ? 'stray' : 'unnamed', object)
    }
    run.tally.examined += objects.length
    await noteOrphans(tenant, run, objects.filter(isNamedByUs))
  }
  return { ...found, objectCount, byteSize }
}

/** The brake counts the objects and uploads of all prefixes, because each prefix alone can be small. */
async function deleteDue(
  ctx: StrayContext,
  run: StrayRun,
  listed: readonly string[],
  uploads: StrayUploads,
): Promise<void> {
  let dueCount = countStale(ctx, uploads)
  for (const id of listed) dueCount += (await countOrphans(inTenant(ctx, id), run)).dueCount
  if (!run.isDryRun && !run.exceedsBrake) refuseBeyondBrake(ctx, dueCount, run.tally.examined)
  const handling = handlingBy(ctx.actor, run)
  for (const id of listed) {
    await deleteOrphans(inTenant(ctx, id), { ...run, exceedsBrake: true }, handling)
    await abortStrayUploads(inTenant(ctx, id), run, uploads.get(id) ?? [], uploadHandlingBy(ctx.actor, run))
  }
}

/** A context in the tenant of the prefix, under its row-level security. Nothing writes to the journal of that tenant. */
const inTenant = ({ database, blobs, now, settings }: StrayContext, tenantId: string): SweepContext => ({
  principal: systemPrincipal(tenantId),
  origin: { requestId: null, address: null, userAgent: null },
  database,
  blobs,
  now,
  settings,
})

const handlingBy = (actor: string, run: Run): OrphanHandling => ({
  readEvidence: readStrayEvidence,
  record: (ctx, gone) =>
    writeUnattended(ctx.database, ctx.principal.tenantId, async (tx) => {
      await endWatch(tx, gone)
      await log(tx, ctx.now(), {
        actor,
        run,
        objects: gone.map(({ objectKey, byteSize }) => ({ objectKey, byteSize })),
      })
    }),
})

const uploadHandlingBy = (actor: string, run: Run): UploadHandling => ({
  readEvidence: readStrayEvidence,
  record: (ctx, aborted) =>
    writeUnattended(ctx.database, ctx.principal.tenantId, (tx) =>
      log(tx, ctx.now(), { actor, run, uploads: aborted.map(({ key, uploadId }) => ({ objectKey: key, uploadId })) }),
    ),
})

interface Deletion {
  readonly actor: string
  readonly run: Run
  readonly objects?: readonly object[]
  readonly uploads?: readonly object[]
}

async function log(tx: Transaction, at: Date, { actor, run, ...gone }: Deletion): Promise<void> {
  const payload = { tenant: tx.tenantId, run: run.id, includesForeign: run.includesForeign, ...gone }
  await tx.db.insert(installationLog).values({ id: newId(at), at, action: 'STRAYS_DELETED', actor, payload })
}

/** ROWS also counts the tenant's own row, because the tenant can have been created after the listing. */
export async function readStrayEvidence(ctx: SweepContext, orphans: Parameters<typeof readOrphanEvidence>[1]) {
  const evidence = await readOrphanEvidence(ctx, orphans)
  const { tenantId } = ctx.principal
  const named = await findTenantById(ctx.database, tenantId)
  const rows = await ctx.database.read(tenantId, (tx) =>
    tx.db.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, tenantId)),
  )
  const known = named !== null || rows.length > 0 ? 1 : 0
  return evidence.map((orphan) => ({ ...orphan, rowCount: orphan.rowCount + known }))
}
