import { quoted } from './objectHeaders.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, type S3Request } from './s3Request.ts'
import type { ObjectRecord } from './storedObject.ts'

export interface ByteRange {
  readonly start: number
  /** Inclusive. */
  readonly end: number
}

/**
 * The range that a read asks for, or undefined for the whole object. A client that resumes a download sends `if-range`
 * with what it knows of the object; if that is no longer true, its bytes and ours do not fit together, and it gets the
 * whole object (RFC 9110, section 13.1.5).
 */
export function wantedRange(request: S3Request, record: ObjectRecord): ByteRange | undefined {
  const condition = headerValue(request, 'if-range')?.trim()
  // A weak tag never matches here. A date must be exactly that of the object.
  const isCurrent =
    condition === undefined ||
    condition === quoted(record.etag) ||
    condition === new Date(record.modified).toUTCString()
  return isCurrent ? readByteRange(headerValue(request, 'range'), record.size) : undefined
}

/**
 * Reads a `range` header (RFC 9110, section 14). Undefined means the whole object: no header, several ranges, or one
 * that cannot be read. Throws `InvalidRange` for one that lies outside.
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
