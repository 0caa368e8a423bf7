import { and, eq, gt } from 'drizzle-orm'
import { isState } from '../../database/conditions.ts'
import { uploads } from '../../database/tables/uploadTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { change, type Changed } from '../change.ts'
import { type Context, reading, readingOnce } from '../context.ts'
import { readFile } from '../files/changeFile.ts'
import type { File } from '../files/findFiles.ts'
import { type FileVersion, findVersions } from '../files/listVersions.ts'
import { essenceOf, unknownType } from '../mediaTypes/mediaType.ts'
import { expectedType } from '../mediaTypes/typeOfName.ts'
import { isAllowedType } from '../mediaTypes/typePattern.ts'
import { Conflict, ContentMismatch, NotFound } from '../refusals.ts'
import { readTenant } from '../tenants/findTenant.ts'
import { together } from '../together.ts'
import { findUploads, type Upload } from './intents/findUploads.ts'
import { releaseUploads } from './intents/releaseUpload.ts'
import { findPlace, insertFile, insertVersion, keepBytes, type Place } from './placeVersion.ts'
import { proveContent, type ProvedContent } from './proof/proveContent.ts'

export interface Committed {
  readonly file: File
  readonly version: FileVersion
}

/**
 * Creates a file, or a new version of one, from a finished upload. Idempotent, also for concurrent calls: all return
 * the same version. Bytes that do not match the declaration end the intent. If the bucket does not answer, the intent
 * is unchanged.
 */
export async function commitUpload(ctx: Context, id: string): Promise<Committed> {
  const upload = await find(ctx, id)
  if (upload.state === 'COMMITTED') return readCommitted(ctx, upload)
  const key = refuseUnlessPending(upload, ctx.now())
  const proved = await proveOrRelease(ctx, upload, key)
  try {
    return await change(ctx, (tx) => keep(tx, ctx, upload, proved))
  } catch (error) {
    if (!(error instanceof EndedByAnother)) throw error
    const ended = await find(ctx, id)
    if (ended.state === 'COMMITTED') return readCommitted(ctx, ended)
    refuseUnlessPending(ended, ctx.now())
    throw error
  }
}

/** Another request committed, cancelled or expired the intent while its bytes were checked. */
class EndedByAnother extends Conflict {
  constructor() {
    super('CHANGED_SINCE', 'Another request ended the upload intent.')
  }
}

async function find(ctx: Context, id: string): Promise<Upload> {
  const [upload] = await readingOnce(ctx, (tx) => findUploads(tx, ctx, [id]))
  if (!upload) throw new NotFound('upload intent')
  return upload
}

function refuseUnlessPending(upload: Upload, now: Date): string {
  if (upload.refusal !== null) throw new ContentMismatch(upload.refusal)
  if (upload.state === 'CANCELLED') throw new Conflict('INTENT_CANCELLED', 'The upload intent was cancelled.')
  if (upload.state === 'EXPIRED' || upload.expiresAt <= now)
    throw new Conflict('INTENT_EXPIRED', 'The upload intent has expired.')
  if (upload.objectKey === null) throw new Error(`Pending upload ${upload.id} has no blob`)
  return upload.objectKey
}

async function proveOrRelease(ctx: Context, upload: Upload, key: string): Promise<ProvedContent> {
  try {
    const proved = await proveContent(ctx.blobs, upload, key)
    return { ...proved, contentType: await allowedType(ctx, upload, proved.contentType) }
  } catch (error) {
    // The upload URL cannot overwrite, so the stored bytes can never match the declaration.
    if (error instanceof ContentMismatch) {
      const refusal = { state: 'CANCELLED', action: 'upload_intent.refused', refusal: error.message } as const
      await change(ctx, (tx) => releaseUploads(tx, ctx, [upload], refusal))
    }
    throw error
  }
}

/**
 * The proved type of the file. The policy allowed the expected type when the intent was created. If the proved type
 * differs, it is checked too. A policy that allows unknown bytes stores them as such. Throws `ContentMismatch`.
 */
async function allowedType(ctx: Context, upload: Upload, contentType: string): Promise<string> {
  if (essenceOf(contentType) === expectedType(upload.name, upload.contentType)) return contentType
  const { allowedContentTypes: allowed } = await readingOnce(ctx, readTenant)
  if (isAllowedType(allowed, essenceOf(contentType))) return contentType
  if (upload.contentType === unknownType && isAllowedType(allowed, unknownType)) return unknownType
  throw new ContentMismatch(`The content is ${essenceOf(contentType)}, which this tenant does not accept.`)
}

/** Writes blob, intent, version and file together. */
async function keep(
  tx: Transaction,
  ctx: Context,
  declared: Upload,
  proved: ProvedContent,
): Promise<Changed<Committed>> {
  const now = ctx.now()
  const upload = { ...declared, contentType: proved.contentType }
  const isNew = upload.targetFileId === null
  const place = await findPlace(tx, upload, now)
  const { contentType, byteSize, name } = upload
  const { answer } = await together({
    file: async () => isNew && insertFile(tx, upload, place, now),
    intent: () => claim(tx, upload, place, now),
    blob: () => keepBytes(tx, upload, proved, now),
    version: () => insertVersion(tx, upload, place, now),
    answer: () => committed(tx, place),
  })
  const action = isNew ? 'file.uploaded' : 'file.version_added'
  return {
    answer,
    records: [{ action, id: place.fileId, name, payload: { version: place.version, contentType, byteSize } }],
    usage: {
      fileCount: isNew ? 1 : 0,
      versionCount: 1,
      storedBytes: proved.byteSize,
      reservedBytes: -upload.byteSize,
    },
  }
}

/**
 * One statement decides who ends the intent. It throws if another request was first, so that everything sent with it is
 * rolled back.
 */
async function claim(tx: Transaction, upload: Upload, place: Place, now: Date): Promise<void> {
  const claimed = await tx.db
    .update(uploads)
    .set({ state: 'COMMITTED', finishedAt: now, ...place })
    .where(
      and(
        tx.inTenant(uploads),
        eq(uploads.id, upload.id),
        isState(uploads.state, 'PENDING'),
        gt(uploads.expiresAt, now),
      ),
    )
    .returning({ id: uploads.id })
  if (claimed.length === 0) throw new EndedByAnother()
}

async function readCommitted(ctx: Context, upload: Upload): Promise<Committed> {
  const { fileId, version } = upload
  if (fileId === null || version === null) throw new Error(`Committed upload ${upload.id} names no version`)
  return reading(ctx, (tx) => committed(tx, { fileId, version }))
}

async function committed(tx: Transaction, place: Place): Promise<Committed> {
  const {
    file,
    versions: [version],
  } = await together({
    file: () => readFile(tx, place.fileId),
    versions: () => findVersions(tx, [place]),
  })
  if (!version) throw new NotFound('file')
  return { file, version }
}
