import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'

/** CRC-32C (Castagnoli), RFC 3720 appendix B.4, reflected. */
function createCrc32c(): RunningChecksum {
  let value = -1
  return {
    update(chunk) {
      for (const byte of chunk) value = (value >>> 8) ^ crc32cTable[(value ^ byte) & 255]!
    },
    digest() {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(~value >>> 0)
      return bytes
    },
  }
}

/** CRC-64/NVME (NVM Express 2.0, section 5.2.1.3.4), reflected, in two halves of 32 bits. */
function createCrc64(): RunningChecksum {
  let high = -1
  let low = -1
  return {
    update(chunk) {
      for (const byte of chunk) {
        const entry = (low ^ byte) & 255
        low = ((low >>> 8) | (high << 24)) ^ crc64Low[entry]!
        high = (high >>> 8) ^ crc64High[entry]!
      }
    },
    digest() {
      const bytes = Buffer.alloc(8)
      bytes.writeUInt32BE(~high >>> 0, 0)
      bytes.writeUInt32BE(~low >>> 0, 4)
      return bytes
    },
  }
}

const crc32cTable = Int32Array.from({ length: 256 }, (_, byte) => {
  let value = byte
  for (let bit = 0; bit < 8; bit++) value = value & 1 ? (value >>> 1) ^ 0x82f63b78 : value >>> 1
  return value
})

const crc64Table = Array.from({ length: 256 }, (_, byte) => {
  let value = BigInt(byte)
  for (let bit = 0; bit < 8; bit++) value = value & 1n ? (value >> 1n) ^ 0x9a6c9329ac4bc9b5n : value >> 1n
  return value
})
const crc64High = Int32Array.from(crc64Table, (value) => Number(BigInt.asIntN(32, value >> 32n)))
const crc64Low = Int32Array.from(crc64Table, (value) => Number(BigInt.asIntN(32, value)))

/** The checksum algorithms of S3, with the size of their value in bytes. */
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

/** Finds the algorithm in `x-amz-checksum-algorithm`, such as `SHA256` or `sha256`. */
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
