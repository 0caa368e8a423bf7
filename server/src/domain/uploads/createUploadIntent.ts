import { and, eq } from 'drizzle-orm'
import { violatedConstraint } from '../../database/databaseUnavailable.ts'
import { blobs, uploads } from '../../database/tables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { ensurePrincipal, recordChange } from '../audit/recordChange.ts'
import { type Context, inTransaction } from '../context.ts'
import { lockLiveFile } from '../files/changeFile.ts'
import { newId } from '../newId.ts'
import { Conflict } from '../refusals.ts'
import { readTenant, type Tenant } from '../tenants/policy.ts'
import { reserveSpace } from '../tenants/usage.ts'
import { acceptDeclaration, isSameDeclaration, refuseAgainstPolicy, type UploadRequest } from './declaration.ts'
import { selectUploads, type Upload } from './findUploads.ts'
import { objectKey } from './objectKey.ts'

/**
 * Promises room for one upload. Asking again with the same idempotency key gives the same intent; with the same key and
 * another declaration it is a `Conflict`.
 */
export async function createUploadIntent(ctx: Context, request: UploadRequest): Promise<Upload> {
  const declared = acceptDeclaration(request)
  try {
    return await inTransaction(ctx, (tx) => findOrInsert(tx, ctx, declared))
  } catch (error) {
    // Two requests with one key at once: whoever came second finds the other's intent.
    if (violatedConstraint(error) !== 'uploads_idempotency') throw error
    return inTransaction(ctx, (tx) => findOrInsert(tx, ctx, declared))
  }
}

async function findOrInsert(tx: Transaction, ctx: Context, declared: UploadRequest): Promise<Upload> {
  const repeated = await findRepeated(tx, ctx, declared)
  if (repeated) return repeated
  const policy = await readTenant(tx)
  refuseAgainstPolicy(policy, declared)
  // Locked, so that nobody deletes and purges it before the intent is there to be seen.
  if (declared.fileId !== null) await lockLiveFile(tx, declared.fileId)
  await ensurePrincipal(tx, ctx)
  await reserveSpace(tx, declared.byteSize, policy.quotaBytes)
  return insertIntent(tx, ctx, declared, policy)
}

async function findRepeated(tx: Transaction, ctx: Context, declared: UploadRequest): Promise<Upload | undefined> {
  if (declared.idempotencyKey === null) return undefined
  const mine = eq(uploads.createdBy, ctx.principal.id)
  const [upload] = await selectUploads(tx, and(mine, eq(uploads.idempotencyKey, declared.idempotencyKey)))
  if (upload && !isSameDeclaration(declared, upload)) {
    throw new Conflict('This idempotency key was used for another upload.')
  }
  return upload
}

async function insertIntent(tx: Transaction, ctx: Context, declared: UploadRequest, policy: Tenant): Promise<Upload> {
  const now = ctx.now()
  const id = newId(now)
  const blobId = newId(now)
  await tx.db.insert(blobs).values({
    tenantId: tx.tenantId,
    id: blobId,
    objectKey: objectKey(tx.tenantId, blobId, declared.name),
    status: 'pending',
    refcount: 0,
    byteSize: declared.byteSize,
    contentType: declared.contentType,
    createdAt: now,
  })
  await tx.db.insert(uploads).values({
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
    createdBy: ctx.principal.id,
    createdAt: now,
    expiresAt: new Date(now.getTime() + policy.intentLifetimeSeconds * 1000),
  })
  const { name, contentType, byteSize, fileId } = declared
  await recordChange(tx, ctx, 'upload_intent.created', { id, name, payload: { contentType, byteSize, fileId } })
  const [upload] = await selectUploads(tx, eq(uploads.id, id))
  if (!upload) throw new Error(`Upload ${id} vanished inside its own transaction`)
  return upload
}
