import {
  checksumAlgorithmNamed,
  checksumAlgorithms,
  checksumBytes,
  checksumHeader,
  type ChecksumAlgorithm,
} from './checksums.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, type S3Request } from './s3Request.ts'

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
