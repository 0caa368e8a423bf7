import { type Context, systemPrincipal } from '../../src/domain/context.ts'
import { attachFile, detachFile, replaceAttachment } from '../../src/domain/files/attachments/attachments.ts'
import { changeRetention, deleteFile, holdFile, releaseFile, restoreFile } from '../../src/domain/files/changeFile.ts'
import { Refusal } from '../../src/domain/refusals.ts'
import { isServiceUnavailable } from '../../src/domain/serviceUnavailable.ts'
import { purgeFile } from '../../src/domain/sweeps/purge/purgeFile.ts'
import { type CleanupKind, recordRun, usualRun } from '../../src/domain/sweeps/runs/recordRun.ts'
import { commitUpload } from '../../src/domain/uploads/commitUpload.ts'
import { createUploadIntent } from '../../src/domain/uploads/intents/createUploadIntent.ts'
import { cancelUpload } from '../../src/domain/uploads/intents/releaseUpload.ts'
import { sweepOf } from '../../src/jobs/sweeps.ts'
import { sha256 } from '../testService.ts'
import type { Answer, Command } from './model.ts'
import { unknown } from './modelExplain.ts'
import { contentOf, contextIn, Crash, type TenantWorld, type World, wrongContentOf } from './modelWorld.ts'

/** Sends a command as a client would, and answers with what it learns: OK, the code of a refusal, or UNKNOWN. */
export async function send(world: World, own: TenantWorld, command: Command): Promise<Answer> {
  const isOdd = Number(command.key.slice(1)) % 2 === 1
  const { tenant } = own
  const isForAdmin = command.verb === 'hold' || command.verb === 'release' || command.verb === 'purge'
  const who = isForAdmin ? tenant.admin : isOdd ? tenant.otherMember : tenant.member
  return answerOf(() => perform(world, own, contextIn(world, who), command))
}

async function answerOf(work: () => Promise<unknown>): Promise<Answer> {
  try {
    const answer = await work()
    return typeof answer === 'string' ? answer : 'OK'
  } catch (error) {
    if (error instanceof Refusal) return error.code
    const isAway = error instanceof Crash || isServiceUnavailable(error) || error instanceof TypeError
    if (isAway) return unknown
    throw error
  }
}

const nobody = '00000000-0000-7000-8000-00000000dead'

async function perform(world: World, own: TenantWorld, ctx: Context, command: Command): Promise<unknown> {
  const { verb, key } = command
  const fileId = own.fileIds.get(key) ?? nobody
  const uploadId = own.uploads.get(key)?.id ?? nobody
  if (verb === 'intend') return intend(own, ctx, command)
  if (verb === 'put') return put(own, ctx, command)
  if (verb === 'commit') return commit(own, ctx, key, uploadId)
  if (verb === 'cancel') return void (await cancelUpload(ctx, uploadId))
  if (verb === 'retain') return void (await changeRetention(ctx, fileId, command.retention))
  if (verb === 'attach' || verb === 'detach' || verb === 'replace') return attach(ctx, fileId, command)
  if (verb === 'delete') return void (await deleteFile(ctx, fileId))
  if (verb === 'restore') return void (await restoreFile(ctx, fileId))
  if (verb === 'hold') return void (await holdFile(ctx, fileId, 'a reason'))
  if (verb === 'release') return void (await releaseFile(ctx, fileId))
  if (verb === 'purge') return void (await purgeFile(ctx, fileId))
  return trespass(world, own, ctx, key)
}

async function intend(own: TenantWorld, ctx: Context, { key, intent }: Extract<Command, { verb: 'intend' }>) {
  const content = contentOf(key)
  const upload = await createUploadIntent(ctx, {
    name: `${key}.txt`,
    // Of a type that the wrong content certainly is not.
    contentType: 'application/pdf',
    byteSize: Buffer.byteLength(content),
    sha256: intent.isProved ? sha256(content) : null,
    fileId: intent.target === null ? null : (own.fileIds.get(intent.target) ?? nobody),
    idempotencyKey: key,
    retention: intent.target === null ? intent.retention : null,
  })
  own.uploads.set(key, upload)
}

const statusAnswers: Readonly<Record<number, Answer>> = { 200: 'OK', 400: 'REFUSED', 403: 'REFUSED', 412: 'EXISTS' }

async function put(own: TenantWorld, ctx: Context, { key, bytes }: Extract<Command, { verb: 'put' }>): Promise<Answer> {
  const upload = own.uploads.get(key)
  if (!upload?.objectKey) return 'REFUSED'
  const { objectKey, contentType, byteSize, sha256: proof } = upload
  const signature = { key: objectKey, contentType, byteSize, sha256: proof ?? undefined, expiresInSeconds: 600 }
  // By the bucket's own clock: where the application's is off, no address would work at all.
  const signed = await ctx.blobs.signUpload({ ...signature, now: new Date() })
  const body = bytes === 'GOOD' ? contentOf(key) : wrongContentOf(key)
  const headers = Object.fromEntries(signed.headers.map(({ name, value }) => [name, value]))
  const response = await fetch(signed.url, { method: signed.method, headers, body: body as string })
  // A store that says 200 and sends an error has said nothing.
  const isError = (await response.text()).includes('<Error>') && response.ok
  return isError ? unknown : (statusAnswers[response.status] ?? unknown)
}

async function commit(own: TenantWorld, ctx: Context, key: string, uploadId: string): Promise<void> {
  const { file } = await commitUpload(ctx, uploadId)
  const target = own.uploads.get(key)?.targetFileId
  if (target === null) own.fileIds.set(key, file.id)
}

async function attach(
  ctx: Context,
  fileId: string,
  { verb, owner }: Extract<Command, { verb: 'attach' | 'detach' | 'replace' }>,
): Promise<void> {
  const [ownerType = '', ownerId = ''] = owner.split('/')
  const attachment = { ownerType, ownerId, slot: 'default' }
  const verbs = { attach: attachFile, detach: detachFile, replace: replaceAttachment }
  await verbs[verb](ctx, fileId, attachment)
}

/** A file of the other tenant, by its real id. */
async function trespass(world: World, own: TenantWorld, ctx: Context, key: string): Promise<void> {
  const other = world.tenants.find((one) => one !== own)
  const foreign = other?.fileIds.get(key) ?? nobody
  const verbs = [deleteFile, restoreFile, purgeFile, releaseFile]
  const verb = verbs[Number(key.slice(1)) % verbs.length] ?? deleteFile
  await verb(ctx, foreign)
}

/** A run of a kind. One that ends by itself before its end has to have a reason. */
export async function sweep(world: World, own: TenantWorld, kind: CleanupKind): Promise<Answer> {
  return answerOf(async () => {
    const ctx = contextIn(world, systemPrincipal(own.tenant.id))
    const { ended } = await recordRun({ ...ctx, settings: world.service.cleanup }, kind, usualRun, sweepOf(kind).sweep)
    if (ended !== null) throw new Error(`${kind} ended without a reason: ${ended}`)
  })
}
