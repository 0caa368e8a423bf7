import type { BlobStore, ExaminedObject } from '../../storage/blobStore.ts'
import { essenceOf } from '../files/contentType.ts'
import { contradiction } from '../files/sniffContent.ts'
import { limits } from '../limits.ts'
import { ContentMismatch, UploadIncomplete } from '../refusals.ts'
import type { Upload } from './findUploads.ts'

/** What was found out about stored bytes. */
export interface ProvedContent {
  readonly etag: string
  readonly byteSize: number
  /** Null where the client declared none and the content was too large to be read whole. */
  readonly sha256: string | null
}

/**
 * Asks the bucket whether the bytes are what the intent declared. It looks at what is there, never at what was asked of
 * the client: stores differ in what they enforce. Refuses with `UploadIncomplete` or `ContentMismatch`.
 */
export async function proveContent(blobs: BlobStore, upload: Upload, key: string): Promise<ProvedContent> {
  const stored = await blobs.examine(key, { byteSize: upload.byteSize, startBytes: limits.sniffedBytes })
  if (!stored) throw new UploadIncomplete()
  if (stored.byteSize !== upload.byteSize) {
    throw new ContentMismatch(`The content has ${stored.byteSize} bytes, not ${upload.byteSize} as declared.`)
  }
  if (essenceOf(stored.contentType) !== essenceOf(upload.contentType)) {
    throw new ContentMismatch('The content was sent under another type than declared.')
  }
  const sha256 = await proveChecksum(blobs, upload, stored, key)
  const lie = await contradiction(upload.contentType, stored.start)
  if (lie !== null) throw new ContentMismatch(lie)
  return { etag: stored.etag, byteSize: stored.byteSize, sha256 }
}

async function proveChecksum(blobs: BlobStore, upload: Upload, stored: ExaminedObject, key: string) {
  if (upload.sha256 === null) return stored.sha256
  const found = stored.sha256 ?? (await confirmedChecksum(blobs, stored, key)) ?? (await blobs.sha256(key))
  if (found === null) throw new UploadIncomplete()
  if (found !== upload.sha256) throw new ContentMismatch('The content has another SHA-256 than declared.')
  return found
}

/** What the store vouches for. One that ignores checksums has stored whatever came: then its bytes have to be hashed. */
async function confirmedChecksum(blobs: BlobStore, { etag }: ExaminedObject, key: string): Promise<string | null> {
  const stored = await blobs.head(key)
  return stored?.etag === etag ? stored.sha256 : null
}
