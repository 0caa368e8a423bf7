import {
  type BlobStore,
  BlobStoreUnavailable,
  type ExaminedObject,
  type ReadOptions,
  type StoredObject,
} from '../../../storage/blobStore.ts'
import { limits } from '../../limits.ts'
import { essenceOf } from '../../mediaTypes/mediaType.ts'
import { expectedType } from '../../mediaTypes/typeOfName.ts'
import { ContentMismatch, UploadIncomplete } from '../../refusals.ts'
import type { Upload } from '../intents/findUploads.ts'
import { decideContentType } from './sniffContent.ts'

/** The result of checking stored bytes. */
export interface ProvedContent {
  readonly etag: string
  readonly byteSize: number
  /**
   * Null if the client declared none and the bytes are too many to be read whole. The verification job computes it
   * later.
   */
  readonly sha256: string | null
  /** The media type of the file: the declared one, or the one that the first bytes prove. */
  readonly contentType: string
}

/**
 * Checks that the stored bytes match the declaration of the intent. It reads the stored object and does not rely on the
 * signed request, because stores differ in what they enforce. Throws `UploadIncomplete` or `ContentMismatch`.
 *
 * A refusal ends the intent, and a recorded hash is the reference for all later checks. Neither is based on one
 * response: a response counts if its ETag confirms it, or if a second response over another connection is the same. Two
 * different responses reject with `BlobStoreUnavailable`.
 */
export async function proveContent(blobs: BlobStore, upload: Upload, key: string): Promise<ProvedContent> {
  const first = await read(blobs, upload, key, {})
  if (first.isCertain) return provedBy(first, upload.sha256)
  const second = await read(blobs, upload, key, { onNewConnection: true })
  if (second.isCertain) return provedBy(second, upload.sha256)
  if (!isSame(first, second)) throw new BlobStoreUnavailable('The bucket gave two different answers about one object')
  if (second.refusal !== null) throw new ContentMismatch(second.refusal)
  return provedBy(second, upload.sha256)
}

interface Reading {
  readonly stored: ExaminedObject
  readonly sha256: string | null
  readonly contentType: string
  /** Why these bytes are refused. */
  readonly refusal: string | null
  /** No problem was found, and a second source confirms it: the ETag, the checksum or a HEAD. */
  readonly isCertain: boolean
}

async function read(blobs: BlobStore, upload: Upload, key: string, how: ReadOptions): Promise<Reading> {
  const expected = { byteSize: upload.byteSize, startBytes: limits.sniffedBytes }
  const stored = await blobs.examine(key, expected, how)
  if (!stored) throw new UploadIncomplete()
  const early = refuseLabels(stored, upload)
  if (early !== null) return { stored, sha256: null, contentType: '', refusal: early, isCertain: false }
  const { sha256, isConfirmed } =
    stored.sha256 === null
      ? await confirmLarge({ blobs, key, how }, upload, stored)
      : { sha256: stored.sha256, isConfirmed: stored.isEtagOfBytes === true }
  const { contentType, refusal: lie } = await decideContentType({ ...upload, start: stored.start })
  const isOther = upload.sha256 !== null && sha256 !== upload.sha256
  const refusal = isOther ? 'The content has another SHA-256 than declared.' : lie
  // A HEAD does not cover the first bytes of a large object, so an unexpected type needs a second reading.
  const isExpected = essenceOf(contentType) === expectedType(upload.name, upload.contentType)
  const isCertain = refusal === null && isConfirmed && (stored.sha256 !== null || isExpected)
  return { stored, sha256, contentType, refusal, isCertain }
}

function refuseLabels(stored: ExaminedObject, upload: Upload): string | null {
  const { byteSize, contentType, contentEncoding } = stored
  if (byteSize !== upload.byteSize) return `The content has ${byteSize} bytes, not ${upload.byteSize} as declared.`
  if (essenceOf(contentType) !== essenceOf(upload.contentType)) {
    return 'The content was sent under another type than declared.'
  }
  // A signature cannot exclude a header. With this one, readers would get other bytes than those that were checked.
  if (contentEncoding === null) return null
  return `The content was sent with the header "content-encoding: ${contentEncoding.slice(0, 40)}". Send it without that header.`
}

/**
 * For bytes that were not read whole. A HEAD must confirm the GET. A declared checksum is compared with that of the
 * store, or with the bytes if the store keeps none or contradicts the client.
 */
async function confirmLarge(
  { blobs, key, how }: { readonly blobs: BlobStore; readonly key: string; readonly how: ReadOptions },
  upload: Upload,
  stored: ExaminedObject,
): Promise<{ readonly sha256: string | null; readonly isConfirmed: boolean }> {
  const head = await blobs.head(key, how)
  const isConfirmed = head !== null && hasSameLabels(head, stored)
  if (upload.sha256 === null) return { sha256: null, isConfirmed }
  if (isConfirmed && head.sha256 === upload.sha256) return { sha256: head.sha256, isConfirmed }
  const hashed = await blobs.hash(key, how)
  if (!hashed) throw new UploadIncomplete()
  return { sha256: hashed.sha256, isConfirmed: hashed.etag === stored.etag && hashed.byteSize === stored.byteSize }
}

const hasSameLabels = (one: StoredObject, other: StoredObject): boolean =>
  one.byteSize === other.byteSize &&
  one.etag === other.etag &&
  one.contentType === other.contentType &&
  one.contentEncoding === other.contentEncoding

const isSame = (one: Reading, other: Reading): boolean =>
  hasSameLabels(one.stored, other.stored) &&
  one.sha256 === other.sha256 &&
  Buffer.compare(one.stored.start, other.stored.start) === 0

/**
 * Bytes that contradict their own ETag twice can be damaged. Without a declared checksum, their hash is not recorded.
 */
function provedBy({ stored, sha256, contentType }: Reading, declared: string | null): ProvedContent {
  const isDoubtful = stored.isEtagOfBytes === false && sha256 !== declared
  return { etag: stored.etag, byteSize: stored.byteSize, sha256: isDoubtful ? null : sha256, contentType }
}
