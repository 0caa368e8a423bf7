import { startChecksum, type ChecksumAlgorithm } from './checksums.ts'
import type { WriteBytes } from './recordFile.ts'

export interface CopiedBytes {
  readonly size: number
  readonly md5: Buffer
  /** Base64; undefined when none was asked for. */
  readonly checksum: string | undefined
}

/** Writes bytes of our own to another place, digesting them on the way. */
export async function copyBytes(
  source: AsyncIterable<Buffer>,
  write: WriteBytes,
  algorithm: ChecksumAlgorithm | undefined,
): Promise<CopiedBytes> {
  const md5 = startChecksum('md5')
  const checksum = algorithm && startChecksum(algorithm)
  let size = 0
  for await (const chunk of source) {
    size += chunk.length
    md5.update(chunk)
    checksum?.update(chunk)
    await write(chunk)
  }
  return { size, md5: md5.digest(), checksum: checksum?.digest().toString('base64') }
}
