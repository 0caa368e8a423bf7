import { createHash } from 'node:crypto'
import { crc32 } from 'node:zlib'
import { S3Error } from './s3Error.ts'
import { type S3Request, headerValue } from './s3Request.ts'

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

/** The digests that the client declares for its body. */
export interface ExpectedDigests {
  readonly md5: Buffer | undefined
  /** The `x-amz-checksum-*` of the request. Its value is undefined until it arrives in a trailer. */
  readonly checksum: { readonly algorithm: ChecksumAlgorithm; readonly value: string | undefined } | undefined
}

export function readExpectedDigests(request: S3Request): ExpectedDigests {
  return { md5: readContentMd5(request), checksum: readChecksum(request) }
}

function readContentMd5(request: S3Request): Buffer | undefined {
  const text = headerValue(request, 'content-md5')
  if (text === undefined) return undefined
  const digest = Buffer.from(text, 'base64')
  if (digest.length !== 16 || digest.toString('base64') !== text) throw new S3Error('InvalidDigest')
  return digest
}

function readChecksum(request: S3Request): ExpectedDigests['checksum'] {
  const given = checksumAlgorithms.filter((algorithm) => headerValue(request, checksumHeader(algorithm)) !== undefined)
  const trailer = readTrailerAlgorithm(request)
  if (given.length + (trailer ? 1 : 0) > 1) {
    throw new S3Error(
      'InvalidRequest',
      'Expecting a single x-amz-checksum- header. Multiple checksum types are not allowed.',
    )
  }
  if (trailer) return { algorithm: trailer, value: undefined }
  const [algorithm] = given
  if (!algorithm) return undefined
  return { algorithm, value: readChecksumValue(algorithm, headerValue(request, checksumHeader(algorithm))) }
}

function readTrailerAlgorithm(request: S3Request): ChecksumAlgorithm | undefined {
  const name = headerValue(request, 'x-amz-trailer')
  if (name === undefined) return undefined
  const algorithm = checksumAlgorithmNamed(name.trim().toLowerCase().replace('x-amz-checksum-', ''))
  if (!algorithm)
    throw new S3Error('InvalidRequest', 'The value specified in the x-amz-trailer header is not supported')
  return algorithm
}

/** Throws unless the text is the Base64 of a digest of the right size. */
export function readChecksumValue(algorithm: ChecksumAlgorithm, text: string | undefined): string {
  const digest = Buffer.from(text ?? '', 'base64')
  if (digest.length === checksumBytes[algorithm] && digest.toString('base64') === text) return text
  throw new S3Error('InvalidRequest', `Value for ${checksumHeader(algorithm)} header is invalid.`)
}

/** The algorithm that a header names. Undefined without the header. */
export function readChecksumAlgorithm(request: S3Request, header: string): ChecksumAlgorithm | undefined {
  const name = headerValue(request, header)
  const algorithm = name === undefined ? undefined : checksumAlgorithmNamed(name)
  if (name !== undefined && !algorithm)
    throw new S3Error('InvalidRequest', `Checksum algorithm provided is unsupported: ${header}`)
  return algorithm
}
