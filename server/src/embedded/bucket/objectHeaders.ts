import { type ChecksumAlgorithm, checksumHeader } from './checksums.ts'
import { maxMetadataBytes } from './limits.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, userMetadata, type S3Request } from './s3Request.ts'
import { element, type Xml } from './xml.ts'

/** Everything about an object except its bytes. Stored after them, in the same file. */
export interface ObjectRecord {
  readonly key: string
  readonly size: number
  /** Without quotes. */
  readonly etag: string
  /** Milliseconds since 1970. */
  readonly modified: number
  /** The headers that a GET returns. Names are in lower case. */
  readonly headers: Readonly<Record<string, string>>
  /** `x-amz-meta-*`. Names are without the prefix. */
  readonly metadata: Readonly<Record<string, string>>
  /** Base64. A checksum of checksums has the suffix `-<parts>`. */
  readonly checksums: Readonly<Partial<Record<ChecksumAlgorithm, string>>>
}

/** A part of a multipart upload. It has the same file format. */
export interface PartRecord {
  readonly size: number
  readonly etag: string
  readonly modified: number
  readonly checksums: ObjectRecord['checksums']
}

const keptHeaders = [
  'cache-control',
  'content-disposition',
  'content-encoding',
  'content-language',
  'content-type',
  'expires',
]

/**
 * The headers of a PUT that a GET returns. Throws `MetadataTooLarge`, and throws for headers that would otherwise be
 * ignored silently.
 */
export function readObjectHeaders(request: S3Request): Pick<ObjectRecord, 'headers' | 'metadata'> {
  refuseUnsupported(request)
  const headers: Record<string, string> = { 'content-type': 'binary/octet-stream' }
  for (const name of keptHeaders) {
    const value = name === 'content-encoding' ? contentEncoding(request) : headerValue(request, name)
    if (value) headers[name] = value
  }
  const metadata = userMetadata(request)
  const bytes = Object.entries(metadata).reduce((sum, [name, value]) => sum + name.length + value.length, 0)
  if (bytes > maxMetadataBytes) throw new S3Error('MetadataTooLarge')
  return { headers, metadata }
}

/** Without `aws-chunked`, which describes the transfer, not the object. */
function contentEncoding(request: S3Request): string {
  const codings = (headerValue(request, 'content-encoding') ?? '').split(',').map((coding) => coding.trim())
  return codings.filter((coding) => coding !== '' && coding !== 'aws-chunked').join(',')
}

const unsupported = [
  'x-amz-object-lock-legal-hold',
  'x-amz-object-lock-mode',
  'x-amz-object-lock-retain-until-date',
  'x-amz-server-side-encryption',
  'x-amz-server-side-encryption-customer-algorithm',
  'x-amz-tagging',
  'x-amz-website-redirect-location',
  'x-amz-write-offset-bytes',
]

/** Refuses headers whose features do not exist here, such as encryption and locks. */
function refuseUnsupported(request: S3Request): void {
  const name = unsupported.find((candidate) => headerValue(request, candidate) !== undefined)
  if (name) throw new S3Error('NotImplemented', undefined, { details: { Header: name } })
  const acl = headerValue(request, 'x-amz-acl')
  if (acl !== undefined && acl !== 'private') throw new S3Error('AccessControlListNotSupported')
  const storageClass = headerValue(request, 'x-amz-storage-class')
  if (storageClass !== undefined && storageClass !== 'STANDARD') throw new S3Error('InvalidStorageClass')
}

export function checksumHeaders(checksums: ObjectRecord['checksums']): Record<string, string> {
  const entries = Object.entries(checksums) as [ChecksumAlgorithm, string][]
  return Object.fromEntries(entries.map(([algorithm, value]) => [checksumHeader(algorithm), value]))
}

/** `ChecksumSHA256` and similar elements. */
export function checksumElements(checksums: ObjectRecord['checksums']): Xml[] {
  return Object.entries(checksums).map(([algorithm, value]) => element(`Checksum${algorithm.toUpperCase()}`, value))
}

/** A checksum of checksums ends with the number of parts. */
export function checksumType(checksums: ObjectRecord['checksums']): 'COMPOSITE' | 'FULL_OBJECT' {
  return Object.values(checksums).some((value) => value.includes('-')) ? 'COMPOSITE' : 'FULL_OBJECT'
}

export function metadataHeaders(record: ObjectRecord): Record<string, string> {
  return Object.fromEntries(Object.entries(record.metadata).map(([name, value]) => [`x-amz-meta-${name}`, value]))
}

export function quoted(etag: string): string {
  return `"${etag}"`
}

/** Removes the quotes. S3 treats `"abc"`, `abc` and `W/"abc"` as the same ETag. */
export function unquoted(etag: string): string {
  return etag
    .trim()
    .replace(/^W\//, '')
    .replace(/^"(.*)"$/, '$1')
}
