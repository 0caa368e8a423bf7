import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { type Context, type Principal, systemPrincipal } from '../../src/domain/context.ts'
import { attachFile } from '../../src/domain/files/attachments/attachments.ts'
import { deleteFile } from '../../src/domain/files/changeFile.ts'
import { commitUpload } from '../../src/domain/uploads/commitUpload.ts'
import { createUploadIntent, signUpload } from '../../src/domain/uploads/intents/createUploadIntent.ts'
import type { TestBucket } from '../testBucket.ts'
import { startTestService, type TestService, type TestTenant } from '../testService.ts'
import { hastyCleanup, type Subject } from './crashActions.ts'
import { CrashWorkers } from './crashWorker.ts'

/** A service, and processes that work on its database and its bucket and may be killed. */
export interface CrashScene {
  readonly service: TestService
  readonly sql: postgres.Sql
  readonly tenant: TestTenant
  readonly workers: CrashWorkers
  readonly member: Context
  /** Filegraph itself, in the tenant. */
  readonly system: Principal
  close(): Promise<void>
}

export async function openCrashScene(): Promise<CrashScene> {
  const service = await startTestService()
  Object.assign(service.cleanup, hastyCleanup)
  const tenant = await service.createTenant()
  const { options: bucket } = service.bucket as TestBucket
  const workers = new CrashWorkers({ databaseUrl: service.testDatabase.url, bucket })
  const sql = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined, fetch_types: false })
  return {
    service,
    sql,
    tenant,
    workers,
    member: service.contextOf(tenant.member),
    system: systemPrincipal(tenant.id),
    close: async () => {
      await workers.close()
      await sql.end()
      await service.close()
    },
  }
}

const content = 'hello'

/** An intent whose bytes have arrived, good ones or such as were not declared. */
export async function plantUpload(
  { member }: CrashScene,
  { body = content, fileId = null }: { readonly body?: string | Buffer; readonly fileId?: string | null } = {},
): Promise<Subject> {
  const idempotencyKey = randomUUID()
  const declared = { name: 'planted.txt', contentType: 'text/plain', byteSize: content.length, sha256: null }
  const upload = await createUploadIntent(member, { ...declared, fileId, idempotencyKey, retention: null })
  const signed = await signUpload(member, upload)
  const headers = Object.fromEntries(signed?.headers.map(({ name, value }) => [name, value]) ?? [])
  const sent = await fetch(signed?.url ?? '', { method: 'PUT', headers, body: body as string })
  if (sent.status !== 200) throw new Error(`The bucket answered ${sent.status}`)
  return { fileId: '', uploadId: upload.id, idempotencyKey }
}

export async function plantLiveFile(scene: CrashScene): Promise<Subject> {
  const subject = await plantUpload(scene)
  const { file } = await commitUpload(scene.member, subject.uploadId)
  return { ...subject, fileId: file.id }
}

export async function plantAttached(scene: CrashScene): Promise<Subject> {
  const subject = await plantLiveFile(scene)
  await attachFile(scene.member, subject.fileId, { ownerType: 'invoice', ownerId: '1', slot: 'default' })
  return subject
}

export async function plantTrashed(scene: CrashScene): Promise<Subject> {
  const subject = await plantLiveFile(scene)
  await deleteFile(scene.member, subject.fileId)
  return subject
}

/** Leases of runs that died, waits and periods of grace are over. */
export async function endAllWaits({ sql }: CrashScene): Promise<void> {
  await sql`update blobs set purge_claimed_until = null, purge_not_before = null,
    deleting_since = least(deleting_since, now() - interval '1 hour') where status = 'deleting'`
  await sql`update orphan_objects set first_seen_at = least(first_seen_at, now() - interval '1 hour')`
}

/** What is so, without ids and times. */
export async function look({ sql, service }: CrashScene, { fileId, idempotencyKey }: Subject): Promise<string> {
  const [upload] = await sql`select u.state, u.refusal is not null as refused, u.version, u.file_id,
      'org/' || u.tenant_id || '/files/' || u.blob_id || '.txt' as key, b.status as blob
    from uploads u left join blobs b on b.id = u.blob_id where u.idempotency_key = ${idempotencyKey}`
  const [file] = await sql`select current_version, attachment_count, retention, held_at is not null as held,
      soft_deleted_at is not null as trashed, purged_at is not null as purged,
      (select count(*) from file_versions v where v.file_id = f.id) as versions,
      (select count(*) from attachments a where a.file_id = f.id) as attachments,
      (select string_agg(action, ' ' order by action) from audit_log where subject_id = f.id) as audit
    from files f where id = ${fileId || upload?.['file_id'] || null}`
  const isStored = upload ? (await service.blobs.head(upload['key'])) !== null : false
  const { state, refused, version, blob } = upload ?? {}
  return JSON.stringify({ upload: upload && { state, refused, version, blob, isStored }, file: file && { ...file } })
}
