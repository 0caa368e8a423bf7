import type { Transaction } from '../../database/tenantDatabase.ts'
import type { BlobStore } from '../../storage/blobStore.ts'
import { change } from '../change.ts'
import type { Context } from '../context.ts'
import { limits } from '../limits.ts'
import { Invalid, Conflict, NotFound } from '../refusals.ts'
import { contentDisposition, servedContentType } from './downloadHeaders.ts'
import { type File, findFiles } from './findFiles.ts'
import { findVersions } from './listVersions.ts'

export type Disposition = 'ATTACHMENT' | 'INLINE'

interface DownloadOptions {
  readonly disposition: Disposition
  /** Null: the default. */
  readonly expiresInSeconds: number | null
}

/**
 * Signs a URL that reads the bytes under the file's own name. It is signed locally and not stored. A type that a
 * browser could run is always an attachment. Throws `Invalid` above `maxSeconds`, the limit of the tenant.
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

/**
 * Returns the same URL as `downloadUrl` and writes an audit entry that records who received it. A null `version` is the
 * current one. Throws `Conflict` while the bytes are in quarantine.
 */
export async function issueDownloadUrl(
  ctx: Context,
  id: string,
  options: DownloadOptions,
  version: number | null = null,
): Promise<{ file: File; url: string; expiresAt: Date }> {
  return change(ctx, async (tx) => {
    const [file] = await findFiles(tx, [id])
    if (!file) throw new NotFound('file')
    const number = version ?? file.version
    const bytes = number === file.version ? file : await findOldVersion(tx, id, number)
    if (bytes.quarantinedAt)
      throw new Conflict('QUARANTINED', 'The stored bytes are damaged or missing, so they are not served.')
    const signed = signDownload(ctx, bytes, options, file.policy.downloadMaxSeconds)
    const payload = { version: number, disposition: options.disposition, expiresAt: signed.expiresAt.toISOString() }
    const record = { action: 'file.download_url_issued', id, name: file.name, payload } as const
    return { answer: { file, ...signed }, records: [record] }
  })
}

async function findOldVersion(tx: Transaction, fileId: string, version: number) {
  const [found] = await findVersions(tx, [{ fileId, version }])
  if (!found) throw new NotFound('version')
  return found
}
