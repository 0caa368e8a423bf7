import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { type Context, systemPrincipal } from '../../src/domain/context.ts'
import {
  type Owner,
  attachFile,
  detachFile,
  replaceAttachment,
} from '../../src/domain/files/attachments/attachments.ts'
import { deleteFile, holdFile, restoreFile } from '../../src/domain/files/changeFile.ts'
import { purgeFile } from '../../src/domain/sweeps/purge/purgeFile.ts'
import { createTenant } from '../../src/domain/tenants/createTenant.ts'
import { commitUpload } from '../../src/domain/uploads/commitUpload.ts'
import { createUploadIntent, signUpload } from '../../src/domain/uploads/intents/createUploadIntent.ts'
import { sendBytes, type TestService } from '../testService.ts'

/** Live; live and attached once, to be kept only as long; in the trash for too long; purged, the bytes released. */
export type Stage = 'LIVE' | 'ATTACHED' | 'TRASHED' | 'RELEASED'

/** A tenant of its own with one file, and what is needed to do anything with it. */
export interface Scene {
  readonly ctx: Context
  readonly tenant: { readonly id: string; readonly slug: string }
  readonly fileId: string
  /** An upload of a new version whose bytes have arrived. */
  readonly uploadId: string | null
}

export const owner: Owner = { ownerType: 'invoice', ownerId: '1', slot: 'default' }
export const avatar: Owner = { ownerType: 'user', ownerId: '1', slot: 'avatar' }

export async function stage(
  service: TestService,
  sql: postgres.Sql,
  as: Stage,
  { awaitsVersion }: { readonly awaitsVersion: boolean },
): Promise<Scene> {
  const slug = `t-${randomUUID().slice(0, 8)}`
  const tenant = await createTenant(service.contextOf(systemPrincipal('')), { slug, name: slug })
  const ctx = service.contextOf(systemPrincipal(tenant.id))
  const retention = as === 'ATTACHED' ? 'WHILE_ATTACHED' : 'KEPT'
  const fileId = await addFile(ctx, 'the first version', retention)
  const uploadId = awaitsVersion ? await sendVersion(ctx, 'the second version', fileId) : null
  if (as === 'ATTACHED') await attachFile(ctx, fileId, owner)
  if (as === 'TRASHED' || as === 'RELEASED') await deleteFile(ctx, fileId)
  if (as === 'TRASHED') await sql`update files set soft_deleted_at = now() - interval '60 days' where id = ${fileId}`
  if (as === 'RELEASED' && !awaitsVersion) {
    await purgeFile(ctx, fileId)
    await sql`update blobs set deleting_since = now() - interval '2 hours' where tenant_id = ${tenant.id}`
  }
  return { ctx, tenant, fileId, uploadId }
}

export async function addFile(
  ctx: Context,
  content: string,
  retention: 'KEPT' | 'WHILE_ATTACHED' = 'KEPT',
): Promise<string> {
  const { file } = await commitUpload(ctx, await sendVersion(ctx, content, null, retention))
  return file.id
}

/** Announces and sends bytes; answers with the intent, which is not committed. */
export async function sendVersion(
  ctx: Context,
  content: string,
  fileId: string | null,
  retention: 'KEPT' | 'WHILE_ATTACHED' | null = null,
): Promise<string> {
  const declared = { name: 'a.txt', contentType: 'text/plain', byteSize: content.length, sha256: null }
  const upload = await createUploadIntent(ctx, { ...declared, fileId, retention, idempotencyKey: null })
  // In the present, wherever the application's clock was turned to.
  const signed = await signUpload({ ...ctx, now: () => new Date() }, upload)
  const sent = await sendBytes(signed, content)
  if (sent.status !== 200) throw new Error(`The bucket answered ${sent.status}`)
  return upload.id
}

export type Verb = keyof typeof verbs
type Act = (service: TestService, scene: Scene) => Promise<unknown>

/** Each answers with whether it did anything. */
export const verbs = {
  attach: (_service, { ctx, fileId }) => attachFile(ctx, fileId, owner),
  detach: (_service, { ctx, fileId }) => detachFile(ctx, fileId, owner),
  replace: (_service, { ctx, fileId }) => replaceAttachment(ctx, fileId, avatar),
  delete: (_service, { ctx, fileId }) => deleteFile(ctx, fileId),
  restore: (_service, { ctx, fileId }) => restoreFile(ctx, fileId),
  commit: (_service, { ctx, uploadId }) => commitUpload(ctx, String(uploadId)),
  hold: (_service, { ctx, fileId }) => holdFile(ctx, fileId, 'a law'),
  purgeFile: (_service, { ctx, fileId }) => purgeFile(ctx, fileId),
  purge: (service, { tenant }) => service.sweep(tenant.id, 'PURGE_FILES'),
  deleteBlobs: (service, { tenant }) => service.sweep(tenant.id, 'DELETE_BLOBS'),
} as const satisfies Record<string, Act>

/** Where each verb has the most to do. */
export const stageOf: Readonly<Record<Verb, Stage>> = {
  attach: 'LIVE',
  detach: 'ATTACHED',
  replace: 'LIVE',
  delete: 'LIVE',
  restore: 'TRASHED',
  commit: 'LIVE',
  hold: 'TRASHED',
  purgeFile: 'TRASHED',
  purge: 'TRASHED',
  deleteBlobs: 'RELEASED',
}
export const verbNames = Object.keys(verbs) as Verb[]
