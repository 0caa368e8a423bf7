import { sql } from 'drizzle-orm'
import { blobs, fileVersions, files } from '../../database/tables/fileTables.ts'
import { events } from '../../database/tables/journalTables.ts'
import { uploads } from '../../database/tables/uploadTables.ts'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'
import type { TenantName } from '../tenants/findTenant.ts'
import {
  type Finding,
  type IntegrityContext,
  type Invariant,
  violation,
  overdueAfter,
  readInPages,
  readRows,
} from './finding.ts'

interface CheckedBlob {
  readonly id: string
  readonly objectKey: string
  readonly status: 'pending' | 'ready' | 'deleting'
  readonly refcount: number
  readonly versions: number
  /** Versions whose size differs from that of the blob. */
  readonly otherSizes: number
  readonly releases: number
  readonly pendingUploads: number
  readonly deletingSeconds: number | null
  readonly purgeAttempts: number
  readonly quarantineReason: string | null
}

/** Compares blobs with their versions, the uploads that create them and the journal that releases them. */
export async function* checkBlobs(ctx: IntegrityContext, tenant: TenantName): AsyncGenerator<Finding> {
  const select = (after: string, limit: number) => selectBlobs(tenant.id, ctx.now(), after, limit)
  for await (const blob of readInPages<CheckedBlob>(ctx.database, tenant.id, select)) {
    for (const [invariant, what] of defectsOf(ctx, tenant, blob)) {
      yield violation(invariant, tenant, { type: 'blob', id: blob.id }, `The blob ${blob.id} ${what}.`)
    }
    if (blob.quarantineReason !== null) {
      const users = await usersOfBlob(ctx.database, tenant.id, blob.id)
      const what = blob.quarantineReason === 'MISSING' ? 'not there' : 'not as they were committed'
      yield violation(
        'QUARANTINE',
        tenant,
        { type: 'blob', id: blob.id },
        `The bytes of ${users} are known to be ${what}.`,
      )
    }
  }
}

type Defect = readonly [Invariant, string]

function defectsOf(ctx: IntegrityContext, tenant: TenantName, blob: CheckedBlob): Defect[] {
  const { status, refcount, versions, otherSizes, objectKey } = blob
  const defects: Defect[] = []
  if (!isKeyOf(objectKey, tenant.id, blob.id)) defects.push(['KEY', `has the key of something else: ${objectKey}`])
  if (refcount !== versions) defects.push(['REFCOUNT', `counts ${refcount} references and has ${versions}`])
  else if ((status === 'ready') !== refcount > 0) defects.push(['REFCOUNT', `is ${status} with ${refcount} references`])
  if (otherSizes > 0) defects.push(['VERSION_SIZE', `is not as long as ${otherSizes} of its versions say`])
  return [...defects, ...lateness(ctx, blob), ...releasesOf(blob)]
}

/** The extension must be short and plain, so that the key cannot contain a path. */
const isKeyOf = (key: string, tenantId: string, blobId: string) => {
  const own = `org/${tenantId}/files/${blobId}.`
  return key.startsWith(own) && /^[a-z0-9]{1,10}$/.test(key.slice(own.length))
}

function lateness({ cleanup }: IntegrityContext, blob: CheckedBlob): Defect[] {
  const { status, deletingSeconds, purgeAttempts, pendingUploads } = blob
  const limitSeconds = overdueAfter.deletingMs(cleanup) / 1_000
  if (status === 'deleting' && deletingSeconds !== null && deletingSeconds > limitSeconds) {
    const days = Math.floor(deletingSeconds / 86_400)
    return [['OVERDUE', `waits for its deletion for ${days} days, after ${purgeAttempts} failed attempts`]]
  }
  return status === 'pending' && pendingUploads === 0 ? [['OVERDUE', 'waits for an upload that has ended']] : []
}

function releasesOf({ status, releases }: CheckedBlob): Defect[] {
  if (status === 'deleting' && releases === 0)
    return [['RELEASE', 'is being deleted, and no event says that it was released']]
  if (status !== 'deleting' && releases > 0) return [['RELEASE', `was released by the journal and is ${status}`]]
  return []
}

/** The age of a blob is measured by the earlier clock. */
const selectBlobs = (tenantId: string, now: Date, after: string, limit: number) => sql`
  select b.id, b.object_key as "objectKey", b.status, b.refcount, b.purge_attempts as "purgeAttempts",
    b.quarantine_reason as "quarantineReason",
    extract(epoch from least(${now.toISOString()}::timestamptz, clock_timestamp()) - b.deleting_since)::float8 as "deletingSeconds",
    counted.n as "versions", counted.other as "otherSizes",
    (select count(*)::int from ${events} e
      where e.tenant_id = b.tenant_id and e.subject_id = b.id and e.type = 'blob.released') as "releases",
    (select count(*)::int from ${uploads} u
      where u.tenant_id = b.tenant_id and u.blob_id = b.id and u.state = 'PENDING') as "pendingUploads"
  from ${blobs} b
  cross join lateral (
    select count(*)::int as n, (count(*) filter (where v.byte_size <> b.byte_size))::int as other
    from ${fileVersions} v where v.tenant_id = b.tenant_id and v.blob_id = b.id
  ) as counted
  where b.tenant_id = ${tenantId} and b.id > ${after}::uuid
  order by b.id limit ${limit}`

interface LateUpload {
  readonly id: string
  readonly name: string
  readonly expiresAt: string
}

/** Finds upload intents that are still pending long after their expiry, by the earlier clock. */
export async function* checkUploads({ database, now }: IntegrityContext, tenant: TenantName): AsyncGenerator<Finding> {
  const lateSeconds = overdueAfter.pendingMs / 1_000
  const select = (after: string, limit: number) => sql`
    select u.id, u.declared_name as "name", u.expires_at as "expiresAt" from ${uploads} u
    where u.tenant_id = ${tenant.id} and u.id > ${after}::uuid and u.state = 'PENDING'
      and u.expires_at < least(${now().toISOString()}::timestamptz, clock_timestamp()) - ${lateSeconds}::float8 * interval '1 second'
    order by u.id limit ${limit}`
  for await (const { id, name, expiresAt } of readInPages<LateUpload>(database, tenant.id, select)) {
    const message = `The upload intent ${id} of "${name}" is pending although it expired at ${expiresAt}.`
    yield violation('OVERDUE', tenant, { type: 'upload', id }, message)
  }
}

const toldFiles = 5

/** Describes the versions with these bytes, so that an operator knows whom the damage affects. */
export async function usersOfBlob(database: TenantDatabase, tenantId: string, blobId: string): Promise<string> {
  const rows = await readRows<{ name: string; id: string; version: number }>(
    database,
    tenantId,
    sql`select f.original_file_name as "name", f.id, v.version from ${fileVersions} v
      join ${files} f on f.tenant_id = v.tenant_id and f.id = v.file_id
      where v.tenant_id = ${tenantId} and v.blob_id = ${blobId}::uuid
      order by f.id, v.version limit ${toldFiles + 1}`,
  )
  const told = rows.slice(0, toldFiles).map(({ name, id, version }) => `version ${version} of "${name}" (${id})`)
  if (rows.length > toldFiles) told.push('others')
  return told.length > 0 ? told.join(', ') : `blob ${blobId}, which no file uses`
}
