import type { BlobStore } from '../../storage/blobStore.ts'
import { limits } from '../limits.ts'
import { Invalid } from '../refusals.ts'
import { contentDisposition } from './contentDisposition.ts'
import { servedContentType } from './safeContentType.ts'

export type Disposition = 'ATTACHMENT' | 'INLINE'

export interface DownloadOptions {
  readonly disposition: Disposition
  /** Null for the default. */
  readonly expiresInSeconds: number | null
}

/**
 * An address that reads the bytes under the file's own name, signed here and now and stored nowhere. What a browser
 * would run is always an attachment. `maxSeconds` is the tenant's bound; beyond it `Invalid`.
 */
export function signDownload(
  ctx: { readonly blobs: BlobStore; readonly now: () => Date },
  file: { readonly objectKey: string; readonly name: string; readonly contentType: string },
  options: DownloadOptions,
  maxSeconds: number,
): { url: string; expiresAt: Date } {
  const seconds = options.expiresInSeconds ?? Math.min(limits.downloadUrlSeconds, maxSeconds)
  if (seconds < limits.minDownloadUrlSeconds || seconds > maxSeconds) {
    const message = `The lifetime must be between ${limits.minDownloadUrlSeconds} and ${maxSeconds} seconds.`
    throw new Invalid('expiresInSeconds', message, seconds > maxSeconds ? maxSeconds : limits.minDownloadUrlSeconds)
  }
  const served = servedContentType(file.contentType)
  const inline = options.disposition === 'INLINE' && served.inlineAllowed
  const now = ctx.now()
  const url = ctx.blobs.signDownload({
    key: file.objectKey,
    contentDisposition: contentDisposition(inline ? 'inline' : 'attachment', file.name),
    contentType: served.contentType,
    expiresInSeconds: seconds,
    now,
  })
  return { url, expiresAt: new Date(now.getTime() + seconds * 1000) }
}
