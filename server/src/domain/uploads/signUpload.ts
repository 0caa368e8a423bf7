import type { BlobStore, SignedUpload } from '../../storage/blobStore.ts'
import { limits } from '../limits.ts'
import { formatMediaType, parseMediaType } from '../mediaTypes/mediaType.ts'
import type { Upload } from './findUploads.ts'

/**
 * The request that sends the bytes, signed here and now. It can be asked for again as long as the intent is pending: the
 * address cannot overwrite, so more of them do no harm. Null once nothing may be sent any more.
 */
export function signUpload(
  ctx: { readonly blobs: BlobStore; readonly now: () => Date },
  upload: Upload,
): (SignedUpload & { readonly expiresAt: Date }) | null {
  const now = ctx.now()
  const remaining = Math.floor((upload.expiresAt.getTime() - now.getTime()) / 1000)
  if (upload.state !== 'PENDING' || upload.objectKey === null || remaining < 1) return null
  const expiresInSeconds = Math.min(limits.uploadUrlSeconds, remaining)
  const signed = ctx.blobs.signUpload({
    key: upload.objectKey,
    contentType: signedType(upload.contentType),
    byteSize: upload.byteSize,
    sha256: upload.sha256 ?? undefined,
    expiresInSeconds,
    now,
  })
  return { ...signed, expiresAt: new Date(now.getTime() + expiresInSeconds * 1000) }
}

/** The header that is signed has no quoted string, because stores may write one in another way. */
function signedType(contentType: string): string {
  const type = parseMediaType(contentType)
  return type ? formatMediaType({ ...type, codecs: null }) : contentType
}
