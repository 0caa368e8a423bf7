import postgres from 'postgres'
import { expect } from 'vitest'
import { systemPrincipal } from '../../src/domain/context.ts'
import { newId } from '../../src/domain/ids.ts'
import { type Outcome, recordRun, type RunOptions, usualRun } from '../../src/domain/sweeps/runs/recordRun.ts'
import { sweepOf } from '../../src/jobs/sweeps.ts'
import type { BlobStore } from '../../src/storage/blobStore.ts'
import { plantTenant } from '../testDatabase.ts'
import { type Data, startTestService, type TestService, type TestServiceOptions } from '../testService.ts'
import { plantHistory } from './plantFile.ts'

/** A test service with what a reconcile is tested by: rows and objects put there from outside, and pages of any size. */
export interface ReconcileWorkbench {
  readonly service: TestService
  /** A role that row-level security does not hold. */
  readonly sql: postgres.Sql
  /** Reconciles with so many keys to a page. */
  reconcile(tenantId: string, pageKeys?: number, options?: Partial<RunOptions>): Promise<Outcome>
  /** How far the clock of the sweeps is ahead of everybody else's. */
  readonly ahead: { milliseconds: number }
  put(key: string, content?: string): Promise<void>
  /** Rows without versions; answers with their object keys. */
  plantRows(tenantId: string, ids: readonly string[], row?: PlantedRow): Promise<string[]>
  /** Puts each object there, with the history of one whose upload was cancelled and purged: an orphan that may be deleted. */
  putOrphans(tenantId: string, ids: readonly string[]): Promise<string[]>
  orphansOf(tenantId: string): Promise<string[]>
  quarantinedOf(tenantId: string): Promise<string[]>
  /** As if everything that is watched had been watched for so long, and every object were that much older. */
  watchedFor(milliseconds: number): Promise<void>
  /** The runs as an admin of the tenant sees them, newest first. */
  runsOf(admin: Parameters<TestService['ask']>[0]): Promise<Data[]>
  close(): Promise<void>
}

export interface PlantedRow {
  readonly status?: 'pending' | 'ready' | 'deleting'
  readonly byteSize?: number
  readonly etag?: string
}

/** For `toMatchObject`, which takes `{}` for an object with anything in it. */
export const none: unknown = expect.toSatisfy((counts: object) => Object.keys(counts).length === 0)

/** Of the bytes `hello`. */
export const helloEtag = '5d41402abc4b2a76b9719d911017c592'

export const newIds = (count: number): string[] =>
  Array.from({ length: count }, () => newId(new Date())).sort((a, b) => (a < b ? -1 : 1))

export async function openReconcileWorkbench(options?: TestServiceOptions): Promise<ReconcileWorkbench> {
  const service = await startTestService(options)
  const sql = postgres(service.testDatabase.superuserUrl, { max: 2, onnotice: () => undefined })
  service.cleanup.listedPerSecond = 10_000_000
  const keysOf = async (found: Promise<postgres.RowList<postgres.Row[]>>) =>
    (await found).map((row) => String(row['key']))
  const ahead = { milliseconds: 0 }
  const aged = { milliseconds: 0 }
  const now = () => new Date(service.now().getTime() + ahead.milliseconds)
  return {
    service,
    sql,
    ahead,
    reconcile: async (tenantId, pageKeys = 1_000, asked = {}) => {
      await plantTenantAndUsage(sql, tenantId)
      const ctx = service.contextOf(systemPrincipal(tenantId))
      const swept = { ...ctx, now, blobs: withAge(aged, withPagesOf(pageKeys, ctx.blobs)), settings: service.cleanup }
      return recordRun(swept, 'RECONCILE', { ...usualRun, ...asked }, sweepOf('RECONCILE').sweep)
    },
    put: async (key, content = 'hello') => {
      await service.blobs.write(key, Buffer.from(content), { contentType: 'text/plain' })
    },
    plantRows: (tenantId, ids, row = {}) => plantRows(sql, tenantId, ids, row),
    putOrphans: async (tenantId, ids) => {
      const keys = ids.map((id) => `org/${tenantId}/files/${id}.txt`)
      for (const key of keys) await service.blobs.write(key, Buffer.from('hello'), { contentType: 'text/plain' })
      await plantHistory(sql, tenantId, ids)
      return keys
    },
    orphansOf: (tenantId) =>
      keysOf(
        sql`select object_key as key from orphan_objects where tenant_id = ${tenantId} order by object_key collate "C"`,
      ),
    quarantinedOf: (tenantId) =>
      keysOf(
        sql`select object_key as key from blobs where tenant_id = ${tenantId} and quarantined_at is not null order by id`,
      ),
    watchedFor: async (milliseconds) => {
      aged.milliseconds += milliseconds
      await sql`update orphan_objects set first_seen_at = first_seen_at - ${milliseconds} * interval '1 millisecond'`
    },
    runsOf: async (admin) => {
      const { data } = await service.ask(admin, runs)
      return data.cleanupRuns.edges.map(({ node }: Data) => ({
        ...node,
        found: counts(node.found),
        held: counts(node.held),
      }))
    },
    close: async () => {
      await sql.end()
      await service.close()
    },
  }
}

const runs = `{ cleanupRuns(first: 20) { edges { node {
  kind state isDryRun examined deleted deletedBytes message requestedBy { kind }
  found { what count } held { what count } items { what key byteSize }
} } } }`

const counts = (all: Data): Record<string, number> =>
  Object.fromEntries(all.map(({ what, count }: Data) => [what, Number(count)]))

/** Small pages of a tenant's objects find what goes wrong between two of them. */
export const withPagesOf = (maxKeys: number, blobs: BlobStore): BlobStore => ({
  ...blobs,
  list: (options) => blobs.list(options.prefix.startsWith('org/') ? { ...options, maxKeys } : options),
})

/** Objects that are older than they are. */
const withAge = (aged: { readonly milliseconds: number }, blobs: BlobStore): BlobStore => ({
  ...blobs,
  head: async (key) => {
    const stored = await blobs.head(key)
    if (!stored?.lastModified) return stored
    return { ...stored, lastModified: new Date(stored.lastModified.getTime() - aged.milliseconds) }
  },
})

/** What rows and changes of a tenant need: its own row, and the one that its changes are numbered by. */
async function plantTenantAndUsage(sql: postgres.Sql, tenantId: string): Promise<void> {
  await plantTenant(sql, tenantId)
  await sql`insert into tenant_usage (tenant_id, file_count, trashed_count, version_count, stored_bytes, reserved_bytes)
    values (${tenantId}, 0, 0, 0, 0, 0) on conflict do nothing`
}

async function plantRows(
  sql: postgres.Sql,
  tenantId: string,
  ids: readonly string[],
  { status = 'ready', byteSize = 5, etag = helloEtag }: PlantedRow,
): Promise<string[]> {
  await plantTenantAndUsage(sql, tenantId)
  const since = status === 'deleting' ? new Date() : null
  await sql`insert into blobs (tenant_id, id, object_key, status, refcount, byte_size, content_type, etag, created_at, deleting_since)
    select ${tenantId}, id, 'org/' || ${tenantId} || '/files/' || id || '.txt', ${status}, ${status === 'ready' ? 1 : 0},
      ${byteSize}, 'text/plain', ${status === 'pending' ? null : etag}, now(), ${since}
    from unnest(${ids as string[]}::uuid[]) as id`
  return ids.map((id) => `org/${tenantId}/files/${id}.txt`)
}
