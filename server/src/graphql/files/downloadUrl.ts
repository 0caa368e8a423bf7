import type { File } from '../../domain/files/findFiles.ts'
import { type Disposition, signDownload } from '../../domain/files/issueDownloadUrl.ts'
import { BadInput, Invalid } from '../../domain/refusals.ts'
import { callerOf, type RequestContext } from '../requestContext.ts'

/** The bytes of a file or a version, with the name and the media type of the download. */
interface Readable {
  readonly objectKey: string
  readonly name: string
  readonly contentType: string
  readonly quarantinedAt: Date | null
}

interface AskedUrl {
  readonly disposition?: Disposition | null | undefined
  readonly expiresInSeconds?: number | null | undefined
}

/** Null if the file is in the trash or the bytes are in quarantine. Bytes that are not verified are never served. */
export function downloadUrl(
  bytes: Readable,
  file: Pick<File, 'deletedAt' | 'purgedAt' | 'policy'>,
  { disposition, expiresInSeconds }: AskedUrl,
  context: RequestContext,
): string | null {
  if (file.deletedAt || file.purgedAt || bytes.quarantinedAt) return null
  const options = { disposition: disposition ?? 'ATTACHMENT', expiresInSeconds: expiresInSeconds ?? null }
  try {
    return signDownload(callerOf(context), bytes, options, file.policy.downloadMaxSeconds).url
  } catch (error) {
    // The value is an argument of a query, not a field of a mutation's input.
    throw error instanceof Invalid ? new BadInput(error.message) : error
  }
}
