import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { createCrc32c, createCrc64 } from './crc.ts'

/** The checksums that S3 knows, with the size of their value in bytes. */
export const checksumBytes = { crc32: 4, crc32c: 4, crc64nvme: 8, sha1: 20, sha256: 32 } as const

export type ChecksumAlgorithm = keyof typeof checksumBytes

export interface RunningChecksum {
  update(chunk: Uint8Array): void
  digest(): Buffer
}

export const checksumAlgorithms = Object.keys(checksumBytes) as ChecksumAlgorithm[]

export function checksumHeader(algorithm: ChecksumAlgorithm): string {
  return `x-amz-checksum-${algorithm}`
}

/** `SHA256` or `sha256`: what `x-amz-checksum-algorithm` says. */
export function checksumAlgorithmNamed(name: string): ChecksumAlgorithm | undefined {
  return checksumAlgorithms.find((algorithm) => algorithm === name.toLowerCase())
}

export function startChecksum(algorithm: ChecksumAlgorithm | 'md5'): RunningChecksum {
  if (algorithm === 'crc32') return startCrc32()
  if (algorithm === 'crc32c') return createCrc32c()
  if (algorithm === 'crc64nvme') return createCrc64()
  const hash = createHash(algorithm)
  return { update: (chunk) => void hash.update(chunk), digest: () => hash.digest() }
}

function startCrc32(): RunningChecksum {
  let value = 0
  return {
    update(chunk) {
      value = crc32(chunk, value)
    },
    digest() {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(value)
      return bytes
    },
  }
}
