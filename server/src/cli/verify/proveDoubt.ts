import { randomUUID } from 'node:crypto'
import { systemPrincipal } from '../../domain/context.ts'
import { RunEnded, type SweepContext, usualRun } from '../../domain/sweeps/runs/recordRun.ts'
import { RunTally } from '../../domain/sweeps/runs/runTally.ts'
import type { TenantName } from '../../domain/tenants/findTenant.ts'
import { sweepOf } from '../../jobs/sweeps.ts'
import type { BlobStore, ListOptions, ListPage } from '../../storage/blobStore.ts'
import { readAs, type Answer, broken, ok, together, unproven, type VerifyContext } from './proof.ts'

const markers = 'filegraph/installation/'

type Lie = (page: ListOptions, truth: ListPage) => ListPage

/** What a bucket could answer that must not be believed. */
const lies: Readonly<Record<string, Lie>> = {
  'an empty listing': (page, truth) => (isOfMarkers(page) ? truth : { objects: [], continuationToken: null }),
  'a page that comes again and again': (page, truth) =>
    isOfMarkers(page) ? truth : { ...truth, continuationToken: 'again' },
  'a bucket without our marker': (page, truth) =>
    isOfMarkers(page) ? { objects: [], continuationToken: null } : truth,
  'a bucket of another installation': (page, truth) =>
    isOfMarkers(page) ? renamed(truth, (key) => key.replace(/[0-9a-f-]{36}/, randomUUID())) : truth,
  'a bucket that is ahead of the database': (page, truth) =>
    isOfMarkers(page) ? renamed(truth, (key) => key.replace(/\/0(\d{15})$/, '/9$1')) : truth,
}

const isOfMarkers = ({ prefix }: ListOptions) => prefix === markers
const renamed = (page: ListPage, rename: (key: string) => string): ListPage => ({
  ...page,
  objects: page.objects.map((object) => ({ ...object, key: rename(object.key) })),
})

/** Lies to a dry run of reconcile about the bucket, in this process alone, and expects it to believe none of it. */
export async function proveDoubt(ctx: VerifyContext): Promise<Answer> {
  const { objects } = await ctx.backends.blobs.list({ prefix: markers, maxKeys: 1 })
  if (objects.length === 0) return unproven('no sweep has marked the bucket yet')
  const tenant = await findFurnished(ctx)
  if (!tenant) return unproven('no tenant has files that a listing could leave out')
  const answers: Answer[] = []
  for (const [what, lie] of Object.entries(lies)) {
    const told = await believe(ctx, tenant, lie)
    if (told === null) answers.push(broken(`a dry run believed ${what}`))
  }
  const refused = `a dry run for ${tenant.slug} refused ${Object.keys(lies).join(', ')}`
  return answers.length === 0 ? ok(refused) : together(...answers)
}

/** Why it was refused; null when it was believed. */
async function believe({ backends }: VerifyContext, { id }: TenantName, lie: Lie): Promise<string | null> {
  const { database, now, cleanup: settings } = backends
  const origin = { requestId: null, address: null, userAgent: null }
  const sweep: SweepContext = {
    database,
    now,
    settings,
    origin,
    principal: systemPrincipal(id),
    blobs: lying(backends.blobs, lie),
  }
  const ids = { id: randomUUID(), claim: randomUUID() }
  const run = { ...usualRun, ...ids, isDryRun: true, isRequested: true, tally: new RunTally() }
  try {
    await sweepOf('RECONCILE').sweep(sweep, run)
    return null
  } catch (error) {
    if (error instanceof RunEnded && error.state === 'REFUSED') return error.message
    throw error
  }
}

/** Answers lists with a lie, and writes and deletes nothing. */
function lying(store: BlobStore, lie: Lie): BlobStore {
  const refuse = () => Promise.reject(new Error('A dry run wanted to change the bucket'))
  return {
    ...store,
    list: async (page) => lie(page, await store.list({ ...page, continuationToken: undefined })),
    // A marker that is not there has a text too.
    readStart: async (key, maxBytes) => (await store.readStart(key, maxBytes)) ?? new TextEncoder().encode('another'),
    write: refuse,
    delete: refuse,
    abortUpload: refuse,
  }
}

async function findFurnished({ application, tenants }: VerifyContext): Promise<TenantName | null> {
  for (const tenant of tenants) {
    const statement = "select id from blobs where tenant_id = $1 and status = 'ready' limit 1"
    const [blob] = await readAs<{ id: string }>(application, tenant.id, statement, [tenant.id])
    if (blob) return tenant
  }
  return null
}
