import type { Context, Principal } from '../../src/domain/context.ts'
import { attachFile, detachFile, replaceAttachment } from '../../src/domain/files/attachments/attachments.ts'
import { changeRetention, deleteFile, holdFile, releaseFile, restoreFile } from '../../src/domain/files/changeFile.ts'
import { advanceMarker } from '../../src/domain/installation/bucketMarker.ts'
import { purgeFile } from '../../src/domain/sweeps/purge/purgeFile.ts'
import { type CleanupKind, recordRun, usualRun } from '../../src/domain/sweeps/runs/recordRun.ts'
import { requestCleanup } from '../../src/domain/sweeps/runs/requestRun.ts'
import { type CleanupSettings, usualCleanup } from '../../src/domain/sweeps/runs/settings.ts'
import { commitUpload } from '../../src/domain/uploads/commitUpload.ts'
import { createUploadIntent } from '../../src/domain/uploads/intents/createUploadIntent.ts'
import { cancelUpload } from '../../src/domain/uploads/intents/releaseUpload.ts'
import { runQueued, sweepOf } from '../../src/jobs/sweeps.ts'

/** What an action is about; each needs some of it. */
export interface Subject {
  readonly fileId: string
  readonly uploadId: string
  readonly idempotencyKey: string
}

/** Nothing waits for a grace period. */
export const hastyCleanup: CleanupSettings = { ...usualCleanup, purgeGraceMs: 0, orphanGraceMs: 0 }

const owner = { ownerType: 'invoice', ownerId: '1', slot: 'default' }

const sweep = (kind: CleanupKind) => (ctx: Context) =>
  recordRun({ ...ctx, settings: hastyCleanup }, kind, usualRun, sweepOf(kind).sweep)

/** Everything that changes something, by the name that a parent tells its child. */
export const actions = {
  createUploadIntent: (ctx: Context, { idempotencyKey }: Subject) =>
    createUploadIntent(ctx, {
      name: 'intended.txt',
      contentType: 'text/plain',
      byteSize: 5,
      sha256: null,
      fileId: null,
      idempotencyKey,
      retention: null,
    }),
  commitUpload: (ctx: Context, { uploadId }: Subject) => commitUpload(ctx, uploadId),
  cancelUpload: (ctx: Context, { uploadId }: Subject) => cancelUpload(ctx, uploadId),
  attachFile: (ctx: Context, { fileId }: Subject) => attachFile(ctx, fileId, owner),
  detachFile: (ctx: Context, { fileId }: Subject) => detachFile(ctx, fileId, owner),
  replaceAttachment: (ctx: Context, { fileId }: Subject) => replaceAttachment(ctx, fileId, owner),
  deleteFile: (ctx: Context, { fileId }: Subject) => deleteFile(ctx, fileId),
  restoreFile: (ctx: Context, { fileId }: Subject) => restoreFile(ctx, fileId),
  holdFile: (ctx: Context, { fileId }: Subject) => holdFile(ctx, fileId, 'a reason'),
  releaseFile: (ctx: Context, { fileId }: Subject) => releaseFile(ctx, fileId),
  changeRetention: (ctx: Context, { fileId }: Subject) => changeRetention(ctx, fileId, 'WHILE_ATTACHED'),
  purgeFile: (ctx: Context, { fileId }: Subject) => purgeFile(ctx, fileId),
  expireUploads: sweep('EXPIRE_UPLOADS'),
  purgeFiles: sweep('PURGE_FILES'),
  deleteBlobs: sweep('DELETE_BLOBS'),
  reconcile: sweep('RECONCILE'),
  verify: sweep('VERIFY'),
  abortUploads: sweep('ABORT_UPLOADS'),
  advanceMarker: (ctx: Context) => advanceMarker(ctx),
  requestCleanup: (ctx: Context) => requestCleanup(ctx, 'DELETE_BLOBS', usualRun),
  runQueued: (ctx: Context) => runQueued({ ...ctx, settings: hastyCleanup }),
} satisfies Record<string, (ctx: Context, subject: Subject) => Promise<unknown>>

export type Action = keyof typeof actions

/** From the parent: do this, and send yourself the signal when you come to the step. */
export interface Order {
  readonly action: Action
  readonly subject: Subject
  readonly principal: Principal
  readonly step: string | null
  readonly signal: 'SIGKILL' | 'SIGSTOP'
}

/** From the child: every step on the way, and what went wrong, if anything. */
export interface Report {
  readonly steps: readonly string[]
  readonly error: string | null
}
