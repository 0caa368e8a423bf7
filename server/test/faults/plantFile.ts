import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { attachFile } from '../../src/domain/files/attachments/attachments.ts'
import { deleteFile } from '../../src/domain/files/changeFile.ts'
import type { CutOff } from '../../src/domain/sweeps/purge/gates.ts'
import { purgeFile } from '../../src/domain/sweeps/purge/purgeFile.ts'
import { type Run, type SweepContext, usualRun } from '../../src/domain/sweeps/runs/recordRun.ts'
import { RunTally } from '../../src/domain/sweeps/runs/runTally.ts'
import { type TestService, type TestTenant, uploadFile } from '../testService.ts'

export interface PlantedFile {
  readonly fileId: string
  readonly blobId: string
  readonly objectKey: string
  readonly content: string
}

/** A superuser's connection: it may write what no code of ours ever would. `close` it before the service. */
export const openSuperuser = (service: TestService, max = 1): postgres.Sql =>
  postgres(service.testDatabase.superuserUrl, { max, onnotice: () => undefined })

/** Takes away, on one connection, what keeps the rows of this database from contradicting each other. */
export async function openSaboteur(service: TestService): Promise<postgres.Sql> {
  const sql = openSuperuser(service)
  await sql`set session_replication_role = replica`
  for (const check of ['ready_while_referenced', 'deleting_since', 'key_of_tenant', 'refcount']) {
    await sql.unsafe(`alter table blobs drop constraint blobs_${check}`)
  }
  await sql.unsafe('alter table file_versions drop constraint file_versions_blob')
  await sql.unsafe('alter table files drop constraint files_in_use_not_deleted')
  await sql.unsafe('alter table files drop constraint files_purged_from_trash')
  return sql
}

/** The id that the tables know, of one that the API gave out. */
export const plainId = (globalId: string): string =>
  Buffer.from(globalId, 'base64url').toString().split(':').at(-1) ?? ''

/** A live file with one version, its bytes in the bucket. */
export async function plantFile(
  service: TestService,
  tenant: TestTenant,
  sql: postgres.Sql,
  content = `bytes of ${randomUUID()}`,
): Promise<PlantedFile> {
  const { id } = await uploadFile(service, tenant.member, { content })
  const fileId = plainId(id)
  const [blob] = await sql`select b.id, b.object_key from blobs b join file_versions v on v.blob_id = b.id
    where v.file_id = ${fileId}`
  if (!blob) throw new Error('The file has no bytes')
  return { fileId, blobId: blob['id'], objectKey: blob['object_key'], content }
}

/** The same, used by a row of a host application. */
export async function plantAttachedFile(
  service: TestService,
  tenant: TestTenant,
  sql: postgres.Sql,
): Promise<PlantedFile> {
  const planted = await plantFile(service, tenant, sql)
  const owner = { ownerType: 'invoice', ownerId: planted.fileId, slot: 'default' }
  await attachFile(service.contextOf(tenant.member), planted.fileId, owner)
  return planted
}

/** A file that was deleted and purged; since `released` its bytes wait for their deletion, and all gates let them go. */
export async function plantReleased(
  service: TestService,
  tenant: TestTenant,
  sql: postgres.Sql,
  released = new Date(Date.now() - 7_200_000),
): Promise<PlantedFile> {
  const planted = await plantFile(service, tenant, sql)
  await deleteFile(service.contextOf(tenant.member), planted.fileId)
  await purgeFile(service.contextOf(tenant.admin), planted.fileId)
  await sql`update blobs set deleting_since = ${released.toISOString()}::timestamptz where id = ${planted.blobId}`
  return planted
}

/** As if each blob had been announced, cancelled and purged. Its people need not exist. */
export async function plantHistory(sql: postgres.Sql, tenantId: string, ids: readonly string[]): Promise<void> {
  // As text: clients that do not ask for the types of the server cannot send an array.
  const joined = ids.join(',')
  await sql.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await tx`insert into uploads (tenant_id, id, blob_id, state, declared_name, declared_content_type, declared_byte_size,
        created_by, created_at, expires_at, finished_at)
      select ${tenantId}, gen_random_uuid(), id, 'CANCELLED', 'a.txt', 'text/plain', 5, gen_random_uuid(), now(), now(), now()
      from unnest(string_to_array(${joined}, ',')::uuid[]) as id`
    await tx`insert into audit_log (tenant_id, id, seq, at, actor_id, action, subject_type, subject_id, payload)
      select ${tenantId}, gen_random_uuid(), -(random() * 1e15)::bigint, now(), gen_random_uuid(), 'blob.purged', 'blob', id, '{}'
      from unnest(string_to_array(${joined}, ',')::uuid[]) as id`
    await tx`insert into events (tenant_id, id, seq, type, subject_type, subject_id, payload, created_at)
      select ${tenantId}, gen_random_uuid(), -(random() * 1e15)::bigint, 'blob.purged', 'blob', id, '{}', now()
      from unnest(string_to_array(${joined}, ',')::uuid[]) as id`
  })
}

export const sweepContextOf = (service: TestService, tenant: TestTenant): SweepContext => ({
  ...service.contextOf(tenant.admin),
  settings: service.cleanup,
})

export const newRun = (): Run => ({
  id: randomUUID(),
  claim: randomUUID(),
  ...usualRun,
  isRequested: false,
  tally: new RunTally(),
})

/** Half an hour ago, with a grace that has long passed by then. */
export const usualCutOff = (): CutOff => ({ releasedBefore: new Date(Date.now() - 1_800_000), graceMs: 900_000 })

/** The object under the key, as text. Null if it does not exist. */
export async function contentOf(service: TestService, objectKey: string): Promise<string | null> {
  const content = await service.blobs.readStart(objectKey, 1_000_000)
  return content && new TextDecoder().decode(content)
}
