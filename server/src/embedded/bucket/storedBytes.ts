import { closeSync, createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { startChecksum, type ChecksumAlgorithm } from './checksums.ts'
import { quoted, type ObjectRecord } from './objectHeaders.ts'
import type { OpenRecordFile, WriteBytes } from './recordFile.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, type S3Request } from './s3Request.ts'

export interface ByteRange {
  readonly start: number
  /** Inclusive. */
  readonly end: number
}

/**
 * The requested range. Undefined for the whole object. A client that resumes a download sends `if-range` with the ETag
 * or date that it knows. If the object has changed, the client gets the whole object (RFC 9110, section 13.1.5).
 */
export function wantedRange(request: S3Request, record: ObjectRecord): ByteRange | undefined {
  const condition = headerValue(request, 'if-range')?.trim()
  // A weak ETag never matches here. A date must equal that of the object.
  const isCurrent =
    condition === undefined ||
    condition === quoted(record.etag) ||
    condition === new Date(record.modified).toUTCString()
  return isCurrent ? readByteRange(headerValue(request, 'range'), record.size) : undefined
}

/**
 * Parses a `range` header (RFC 9110, section 14). Undefined means the whole object: no header, several ranges, or an
 * invalid one. Throws `InvalidRange` for a range outside the object.
 */
export function readByteRange(header: string | undefined, size: number): ByteRange | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header?.trim() ?? '')
  const [, first = '', last = ''] = match ?? []
  if (first === '' && last === '') return undefined
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first)
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1)
  if (first !== '' && last !== '' && Number(last) < Number(first)) return undefined
  if (start >= size) {
    throw new S3Error('InvalidRange', undefined, {
      headers: { 'content-range': `bytes */${size}` },
      details: { RangeRequested: header ?? '', ActualObjectSize: String(size) },
    })
  }
  return { start, end }
}

/** The bytes before a record, or a range of them. The stream closes the descriptor, even if it is destroyed early. */
export function openBytes(
  { descriptor, record }: OpenRecordFile<{ readonly size: number }>,
  range?: ByteRange,
): Readable {
  if (record.size === 0) {
    closeSync(descriptor)
    return Readable.from([])
  }
  const { start, end } = range ?? { start: 0, end: record.size - 1 }
  return createReadStream('', { fd: descriptor, start, end, highWaterMark: 256 * 1024 })
}

interface CopiedBytes {
  readonly size: number
  readonly md5: Buffer
  /** Base64. Undefined if none was requested. */
  readonly checksum: string | undefined
}

/** Copies stored bytes and computes their digests. */
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
