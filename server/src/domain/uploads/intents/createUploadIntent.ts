import { and, eq } from 'drizzle-orm'
import { violatedConstraint } from '../../../database/databaseUnavailable.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import { uploads } from '../../../database/tables/uploadTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import type { BlobStore, SignedUpload } from '../../../storage/blobStore.ts'
import { change, type Changed, unchanged } from '../../change.ts'
import type { Context } from '../../context.ts'
import { lockLiveFile } from '../../files/changeFile.ts'
import { plainExtension } from '../../files/fileName.ts'
import { newId } from '../../ids.ts'
import { limits } from '../../limits.ts'
import { formatMediaType, parseMediaType } from '../../mediaTypes/mediaType.ts'
import { Conflict } from '../../refusals.ts'
import { readTenant, type Tenant } from '../../tenants/findTenant.ts'
import { reserveSpace } from '../../tenants/usage.ts'
import { together } from '../../together.ts'
import { acceptDeclaration, isSameDeclaration, refuseAgainstPolicy, type UploadRequest } from './declaration.ts'
import { selectUploads, type Upload } from './findUploads.ts'

/** The object key of a blob. The only user text in it is a short, plain extension. */
const objectKey = (tenantId: string, blobId: string, fileName: string): string =>
  `org/${tenantId}/files/${blobId}.${plainExtension(fileName)}`

/**
 * Reserves space for one upload. The same idempotency key returns the same intent. The same key with a different
 * declaration is a `Conflict`.
 */
export async function createUploadIntent(ctx: Context, request: UploadRequest): Promise<Upload> {
  const declared = acceptDeclaration(request)
  try {
    return await change(ctx, (tx) => findOrInsert(tx, ctx, declared))
  } catch (error) {
    // Of two concurrent requests with one key, the second finds the intent of the first.
    if (violatedConstraint(error) !== 'uploads_idempotency') throw error
    return change(ctx, (tx) => findOrInsert(tx, ctx, declared))
  }
}

async function findOrInsert(tx: Transaction, ctx: Context, declared: UploadRequest): Promise<Changed<Upload>> {
  const repeated = findRepeated(tx, ctx, declared)
  const policy = readTenant(tx)
  // Locked, so that the file cannot be deleted and purged before the intent is visible.
  const target = declared.fileId === null ? null : lockLiveFile(tx, declared.fileId)
  // Sent together, and checked in the order of their refusals.
  await Promise.allSettled([repeated, policy, target])
  const found = await repeated
  if (found) return unchanged(found)
  refuseAgainstPolicy(await policy, declared)
  await target
  return insertIntent(tx, ctx, declared, await policy)
}

async function findRepeated(tx: Transaction, ctx: Context, declared: UploadRequest): Promise<Upload | undefined> {
  if (declared.idempotencyKey === null) return undefined
  const mine = eq(uploads.createdBy, ctx.principal.id)
  const [upload] = await selectUploads(tx, and(mine, eq(uploads.idempotencyKey, declared.idempotencyKey)))
  if (upload && !isSameDeclaration(declared, upload)) {
    throw new Conflict('IDEMPOTENCY_KEY_REUSED', 'This idempotency key was used for another upload.')
  }
  return upload
}

/** The values of an intent that are not declared. */
interface Made {
  readonly id: string
  readonly blobId: string
  readonly by: string
  readonly now: Date
  readonly expiresAt: Date
}

async function insertIntent(
  tx: Transaction,
  ctx: Context,
  declared: UploadRequest,
  policy: Tenant,
): Promise<Changed<Upload>> {
  const now = ctx.now()
  const id = newId(now)
  const expiresAt = new Date(now.getTime() + policy.intentLifetimeSeconds * 1000)
  const made = { id, blobId: newId(now), by: ctx.principal.id, now, expiresAt }
  const { name, contentType, byteSize, fileId } = declared
  const {
    made: [upload],
  } = await together({
    blob: () => insertBlob(tx, declared, made),
    upload: () => insertUpload(tx, declared, made),
    made: () => selectUploads(tx, eq(uploads.id, id)),
    // Sent last, because it locks the usage row of the tenant.
    space: () => reserveSpace(tx, byteSize, policy.quotaBytes),
  })
  if (!upload) throw new Error(`Upload ${id} vanished inside its own transaction`)
  const record = { action: 'upload_intent.created', id, name, payload: { contentType, byteSize, fileId } } as const
  return { answer: upload, records: [record] }
}

const insertBlob = (tx: Transaction, declared: UploadRequest, { blobId, now }: Made) =>
  tx.db.insert(blobs).values({
    tenantId: tx.tenantId,
    id: blobId,
    objectKey: objectKey(tx.tenantId, blobId, declared.name),
    status: 'pending',
    refcount: 0,
    byteSize: declared.byteSize,
    contentType: declared.contentType,
    createdAt: now,
  })

const insertUpload = (tx: Transaction, declared: UploadRequest, { id, blobId, by, now, expiresAt }: Made) =>
  tx.db.insert(uploads).values({
    tenantId: tx.tenantId,
    id,
    blobId,
    targetFileId: declared.fileId,
    state: 'PENDING',
    declaredName: declared.name,
    declaredContentType: declared.contentType,
    declaredByteSize: declared.byteSize,
    declaredSha256: declared.sha256,
    retention: declared.retention ?? 'KEPT',
    idempotencyKey: declared.idempotencyKey,
    createdBy: by,
    createdAt: now,
    expiresAt,
  })

/**
 * Signs the request that sends the bytes, locally. It can be signed again while the intent is pending, because the URL
 * cannot overwrite an object. Null if the intent is no longer pending.
 */
export async function signUpload(
  ctx: { readonly blobs: BlobStore; readonly now: () => Date },
  upload: Pick<Upload, 'state' | 'expiresAt' | 'objectKey' | 'contentType' | 'byteSize' | 'sha256'>,
): Promise<(SignedUpload & { readonly expiresAt: Date }) | null> {
  const now = ctx.now()
  const remaining = Math.floor((upload.expiresAt.getTime() - now.getTime()) / 1000)
  if (upload.state !== 'PENDING' || upload.objectKey === null || remaining < 1) return null
  const expiresInSeconds = Math.min(limits.uploadUrlSeconds, remaining)
  const signed = await ctx.blobs.signUpload({
    key: upload.objectKey,
    contentType: signedType(upload.contentType),
    byteSize: upload.byteSize,
    sha256: upload.sha256 ?? undefined,
    expiresInSeconds,
    now,
  })
  return { ...signed, expiresAt: new Date(now.getTime() + expiresInSeconds * 1000) }
}

/** Signs a type without quoted strings, because stores can format those differently. */
function signedType(contentType: string): string {
  const type = parseMediaType(contentType)
  return type ? formatMediaType({ ...type, codecs: null }) : contentType
}
