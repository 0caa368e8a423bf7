import { sql } from 'drizzle-orm'
import pMap from 'p-map'
import { uuidArray } from '../../database/conditions.ts'
import { blobs } from '../../database/tables/fileTables.ts'
import type { StoredObject } from '../../storage/blobStore.ts'
import { systemPrincipal } from '../context.ts'
import { type ListedObject, listInOrder } from '../sweeps/reconcile/listInOrder.ts'
import { type SweepContext, RunEnded } from '../sweeps/runs/recordRun.ts'
import type { TenantName } from '../tenants/findTenant.ts'
import { usersOfBlob } from './checkBlobs.ts'
import { type Finding, type IntegrityContext, readInPages, violation, readRows } from './finding.ts'
import { tellOrphans } from './tellOrphans.ts'

interface StoredBlob {
  readonly id: string
  readonly objectKey: string
  readonly status: 'pending' | 'ready' | 'deleting'
  readonly byteSize: number
  readonly etag: string | null
  readonly isQuarantined: boolean
}

const askedAtOnce = 200

/**
 * Checks the bytes of all kept versions, and finds objects without a row, in one pass over the tenant's objects and
 * rows. Each kept object needs a HEAD, because a listing does not show the headers that are stored with it.
 */
export async function* checkBytes(ctx: IntegrityContext, tenant: TenantName): AsyncGenerator<Finding> {
  const select = (after: string, limit: number) => sql`
    select b.id, b.object_key as "objectKey", b.status, b.byte_size::float8 as "byteSize", b.etag,
      b.quarantined_at is not null as "isQuarantined"
    from ${blobs} b where b.tenant_id = ${tenant.id} and b.id > ${after}::uuid order by b.id limit ${limit}`
  const rows = readInPages<StoredBlob>(ctx.database, tenant.id, select)
  const pairs = pairWithRows(`org/${tenant.id}/files/`, listObjects(ctx, tenant), rows)
  for await (const batch of inBatches(withoutKnownDamage(pairs), askedAtOnce)) {
    yield* confirmBytes(
      ctx,
      tenant,
      batch.flatMap(({ row, object }) => (row ? [{ ...row, isListed: object !== null }] : [])),
    )
    yield* tellOrphans(
      ctx,
      tenant,
      batch.flatMap(({ row, object }) => (row ? [] : (object ?? []))),
    )
  }
}

async function* listObjects(
  { database, blobs: store, now, cleanup }: IntegrityContext,
  { id }: TenantName,
): AsyncGenerator<ListedObject> {
  const origin = { requestId: null, address: null, userAgent: null }
  const by = { principal: systemPrincipal(id), origin, settings: cleanup }
  const sweep: SweepContext = { database, blobs: store, now, ...by }
  for await (const { objects } of listInOrder(sweep, null)) yield* objects
}

/** Omits rows without bytes to keep, and known damage, which has its own finding. */
async function* withoutKnownDamage(pairs: AsyncIterable<Pair<StoredBlob>>): AsyncGenerator<Pair<StoredBlob>> {
  for await (const pair of pairs) {
    const { row } = pair
    if (row === null || (row.status === 'ready' && !row.isQuarantined)) yield pair
  }
}

const requestsAtOnce = 16

interface AskedBlob extends StoredBlob {
  readonly isListed: boolean
}

/** Finds bytes that differ from the commit and are still needed. A second HEAD confirms each defect. */
async function* confirmBytes(
  ctx: IntegrityContext,
  tenant: TenantName,
  asked: readonly AskedBlob[],
): AsyncGenerator<Finding> {
  const defects = await pMap(asked, (blob) => defectOf(ctx, blob), { concurrency: requestsAtOnce })
  const bad = asked.filter((_blob, at) => defects[at] !== null)
  const wanted = await listWanted(ctx, tenant, bad)
  for (const [at, blob] of asked.entries()) {
    const defect = defects[at]
    if (typeof defect !== 'string' || !wanted.has(blob.id)) continue
    const users = await usersOfBlob(ctx.database, tenant.id, blob.id)
    yield violation(
      'BYTES',
      tenant,
      { type: 'blob', id: blob.id },
      `The bytes of ${users} are ${defect} under ${blob.objectKey}.`,
    )
  }
}

async function defectOf({ blobs: store }: IntegrityContext, blob: AskedBlob): Promise<string | null> {
  const first = describeDefect(blob, await store.head(blob.objectKey))
  const defect = first && describeDefect(blob, await store.head(blob.objectKey, { onNewConnection: true }))
  if (defect !== null || blob.isListed) return defect
  const { objects } = await store.list({ prefix: blob.objectKey, maxKeys: 1 })
  // Otherwise it was committed after its page was listed.
  if (objects[0]?.key === blob.objectKey) return null
  throw new RunEnded('REFUSED', 'The listing leaves out objects that are there. Nothing is believed of it.')
}

function describeDefect(blob: StoredBlob, stored: StoredObject | null): string | null {
  if (!stored) return 'not there'
  if (stored.byteSize !== blob.byteSize) return `${stored.byteSize} instead of ${blob.byteSize} bytes`
  if (stored.etag !== blob.etag) return 'not those that were committed'
  return stored.contentEncoding === null ? null : `stored with the content-encoding ${stored.contentEncoding}`
}

/** The blobs that are still kept. A file can have been purged while its bytes were checked. */
async function listWanted({ database }: IntegrityContext, tenant: TenantName, some: readonly StoredBlob[]) {
  if (some.length === 0) return new Set<string>()
  const rows = await readRows<{ id: string }>(
    database,
    tenant.id,
    sql`select b.id from ${blobs} b where b.tenant_id = ${tenant.id} and b.status = 'ready'
      and b.quarantined_at is null and b.id = any(${uuidArray(some.map(({ id }) => id))})`,
  )
  return new Set(rows.map(({ id }) => id))
}

/** A blob and the object with its key, or only one of them. */
interface Pair<Row> {
  readonly row: Row | null
  readonly object: ListedObject | null
}

/**
 * Merges objects in the order of their keys with blobs in the order of their ids, which are the same. Holds one of each
 * in memory. `folder` is the common prefix of all blob keys.
 */
export async function* pairWithRows<Row extends { readonly id: string; readonly objectKey: string }>(
  folder: string,
  objects: AsyncIterable<ListedObject>,
  rows: AsyncIterable<Row>,
): AsyncGenerator<Pair<Row>> {
  const listed = objects[Symbol.asyncIterator]()
  // Objects are read before rows, because every object has a row before it can be uploaded.
  let next = await listed.next()
  for await (const row of rows) {
    const start = `${folder}${row.id}`
    let own: ListedObject | null = null
    for (; !next.done && (next.value.key < start || next.value.key.startsWith(start)); next = await listed.next()) {
      if (next.value.key === row.objectKey) own = next.value
      else yield { row: null, object: next.value }
    }
    yield { row, object: own }
  }
  for (; !next.done; next = await listed.next()) yield { row: null, object: next.value }
}

/** Groups items into arrays of at most `size`. */
export async function* inBatches<T>(items: AsyncIterable<T>, size: number): AsyncGenerator<T[]> {
  let batch: T[] = []
  for await (const item of items) {
    batch.push(item)
    if (batch.length < size) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
