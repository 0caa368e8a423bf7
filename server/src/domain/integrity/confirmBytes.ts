import { sql } from 'drizzle-orm'
import { uuidArray } from '../../database/isAnyOf.ts'
import { blobs } from '../../database/tables/fileTables.ts'
import type { StoredObject } from '../../storage/blobStore.ts'
import { RunEnded } from '../cleanup/recordRun.ts'
import { inParallel } from '../inParallel.ts'
import type { TenantName } from '../tenants/findTenant.ts'
import type { StoredBlob } from './checkBytes.ts'
import { type Finding, type IntegrityContext, violation } from './finding.ts'
import { readRows } from './readInPages.ts'
import { usersOfBlob } from './usersOfBlob.ts'

const requestsAtOnce = 16

interface AskedBlob extends StoredBlob {
  readonly isListed: boolean
}

/** Tells which bytes are not stored as they were committed, and still wanted. Each defect is confirmed by a second HEAD. */
export async function* confirmBytes(
  ctx: IntegrityContext,
  tenant: TenantName,
  asked: readonly AskedBlob[],
): AsyncGenerator<Finding> {
  const defects = await inParallel(asked, requestsAtOnce, (blob) => defectOf(ctx, blob))
  const bad = asked.filter((_blob, at) => defects[at] !== null)
  const wanted = await listWanted(ctx, tenant, bad)
  for (const [at, blob] of asked.entries()) {
    const defect = defects[at]
    if (typeof defect !== 'string' || !wanted.has(blob.id)) continue
    const users = await usersOfBlob(ctx.database, tenant.id, blob.id)
    yield violation('BYTES', tenant, 'blob', blob.id, `The bytes of ${users} are ${defect} under ${blob.objectKey}.`)
  }
}

async function defectOf({ blobs: store }: IntegrityContext, blob: AskedBlob): Promise<string | null> {
  const first = describeDefect(blob, await store.head(blob.objectKey))
  const defect = first && describeDefect(blob, await store.head(blob.objectKey, { onNewConnection: true }))
  if (defect !== null || blob.isListed) return defect
  const { objects } = await store.list({ prefix: blob.objectKey, maxKeys: 1 })
  // Else it was committed after its page had been listed.
  if (objects[0]?.key === blob.objectKey) return null
  throw new RunEnded('REFUSED', 'The listing leaves out objects that are there. Nothing is believed of it.')
}

function describeDefect(blob: StoredBlob, stored: StoredObject | null): string | null {
  if (!stored) return 'not there'
  if (stored.byteSize !== blob.byteSize) return `${stored.byteSize} instead of ${blob.byteSize} bytes`
  if (stored.etag !== blob.etag) return 'not those that were committed'
  return stored.contentEncoding === null ? null : `stored with the content-encoding ${stored.contentEncoding}`
}

/** Those that are still to be kept: a file may have been purged while its bytes were asked for. */
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
