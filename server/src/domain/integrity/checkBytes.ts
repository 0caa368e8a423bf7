import { sql } from 'drizzle-orm'
import { blobs } from '../../database/tables/fileTables.ts'
import type { SweepContext } from '../cleanup/recordRun.ts'
import { systemPrincipal } from '../identity/systemPrincipal.ts'
import { type ListedObject, listInOrder } from '../reconcile/listInOrder.ts'
import type { TenantName } from '../tenants/findTenant.ts'
import { confirmBytes } from './confirmBytes.ts'
import type { Finding, IntegrityContext } from './finding.ts'
import { inBatches, type Pair, pairWithRows } from './pairWithRows.ts'
import { readInPages } from './readInPages.ts'
import { tellOrphans } from './tellOrphans.ts'

export interface StoredBlob {
  readonly id: string
  readonly objectKey: string
  readonly status: 'pending' | 'ready' | 'deleting'
  readonly byteSize: number
  readonly etag: string | null
  readonly isQuarantined: boolean
}

const askedAtOnce = 200

/**
 * The bytes of versions that are kept, and objects that no row knows: one pass over the tenant's part of the bucket beside
 * its rows. Each kept object is asked for by a HEAD, because a listing does not show the headers that are stored with it.
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

/** Leaves out rows that are not kept, and known damage, which is told by itself. */
async function* withoutKnownDamage(pairs: AsyncIterable<Pair<StoredBlob>>): AsyncGenerator<Pair<StoredBlob>> {
  for await (const pair of pairs) {
    const { row } = pair
    if (row === null || (row.status === 'ready' && !row.isQuarantined)) yield pair
  }
}
