import { randomUUID } from 'node:crypto'
import { systemPrincipal } from '../../domain/context.ts'
import { RunEnded, type SweepContext, usualRun } from '../../domain/sweeps/runs/recordRun.ts'
import { RunTally } from '../../domain/sweeps/runs/runTally.ts'
import type { TenantName } from '../../domain/tenants/findTenant.ts'
import { sweepOf } from '../../jobs/sweeps.ts'
import type { BlobStore, ListOptions, ListPage } from '../../storage/blobStore.ts'
import { type Answer, type VerifyContext, broken, isRefused, ok, readAs, together, unproven } from './proof.ts'

/** What the tables themselves refuse, whatever the program does. */
const constraints = [
  'files_in_use_not_deleted',
  'files_purged_from_trash',
  'blobs_ready_while_referenced',
  'attachments_file',
  'file_versions_file',
  'file_versions_blob',
] as const

/** What would harm a file in use, and how to find one. */
const attempts = [
  {
    what: 'to delete a file that is attached',
    find: 'select id from files where tenant_id = $1 and attachment_count > 0 limit 1',
    harm: 'update files set soft_deleted_at = now(), soft_deleted_by = uploaded_by where tenant_id = $1 and id = $2',
  },
  {
    what: 'to release the bytes of a version',
    find: 'select blob_id as id from file_versions where tenant_id = $1 limit 1',
    harm: 'delete from blobs where tenant_id = $1 and id = $2',
  },
  {
    what: 'to put the bytes of a version on their way out',
    find: 'select blob_id as id from file_versions where tenant_id = $1 limit 1',
    harm: `update blobs set status = 'deleting', deleting_since = now() where tenant_id = $1 and id = $2`,
  },
] as const

/** That the tables refuse to delete a file in use: they say so, and one that is there was tried. */
export async function proveUse(ctx: VerifyContext): Promise<Answer> {
  const answers = [await askConstraints(ctx)]
  for (const attempt of attempts) answers.push(await tryOne(ctx, attempt))
  return together(...answers)
}

async function askConstraints({ application }: VerifyContext): Promise<Answer> {
  const rows = await application<{ name: string }[]>`
    select conname as name from pg_constraint where conname in ${application([...constraints])} and convalidated`
  const standing = new Set(rows.map(({ name }) => name))
  const absent = constraints.filter((name) => !standing.has(name))
  return absent.length === 0
    ? ok(`${constraints.length} constraints stand`)
    : broken(`no constraint ${absent.join(', ')}`)
}

async function tryOne(ctx: VerifyContext, { what, find, harm }: (typeof attempts)[number]): Promise<Answer> {
  const found = await findIn(ctx, ctx.tenants, find)
  if (!found) return unproven(`there is nothing to try ${what} with`)
  const refused = await isRefused(ctx.application, found.tenant.id, harm, [found.tenant.id, found.id])
  return refused
    ? ok(`an attempt ${what} was refused`)
    : broken(`an attempt ${what} (${found.id}) was accepted, and taken back`)
}

async function findIn({ application }: VerifyContext, tenants: readonly TenantName[], statement: string) {
  for (const tenant of tenants) {
    const [row] = await readAs<{ id: string }>(application, tenant.id, statement, [tenant.id])
    if (row) return { tenant, id: row.id }
  }
  return null
}

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
