import { tenants } from '../../../database/tables/identityTables.ts'
import { installationLog } from '../../../database/tables/cleanupTables.ts'
import { eq } from 'drizzle-orm'
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
import { type StrayPrefix, type Walk, walkStrays } from './walkStrays.ts'

const toldStrays = 100

/**
 * Looks for objects that belong to no tenant of this database. One pass over the bucket beside the tenants: those of known
 * tenants are passed over, those under the prefix of an unknown one are watched like the orphans of a tenant, and everything
 * else is only reported, since the bucket may be shared with another application.
 *
 * A database that was copied or restored does not know tenants that were created later. So the gates of orphans decide here
 * too, with all their witnesses: this database has no history of such a tenant, so that FOREIGN keeps every object until an
 * operator asks for the delete.
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
  await deleteDue(ctx, run, listed)
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

/** Objects that no Filegraph can have named are counted and not watched: nothing deletes them. */
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

/** One brake for the run, since each prefix alone may be small. */
async function deleteDue(ctx: StrayContext, run: StrayRun, listed: readonly string[]): Promise<void> {
  let dueCount = 0
  for (const id of listed) dueCount += (await countOrphans(inTenant(ctx, id), run)).dueCount
  if (!run.isDryRun && !run.exceedsBrake) refuseBeyondBrake(ctx, dueCount, run.tally.examined)
  const handling = handlingBy(ctx.actor, run)
  for (const id of listed) await deleteOrphans(inTenant(ctx, id), { ...run, exceedsBrake: true }, handling)
}

/** Works behind the row-level security of the id in the prefix, and writes nothing into a journal that is not ours. */
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
      const objects = gone.map(({ objectKey, byteSize }) => ({ objectKey, byteSize }))
      const payload = { tenant: tx.tenantId, run: run.id, includesForeign: run.includesForeign, objects }
      const at = ctx.now()
      await tx.db.insert(installationLog).values({ id: newId(at), at, action: 'STRAYS_DELETED', actor, payload })
    }),
})

/** ROWS counts the tenant itself too: it may have come since the listing. */
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
