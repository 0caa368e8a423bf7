import { quoted, unquoted, type ObjectRecord } from './objectHeaders.ts'
import type { WriteCondition } from './objectStore.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, type S3Request } from './s3Request.ts'

/** `if-none-match: *` and `if-match` of a write. S3 supports no other forms there. */
export function readWriteCondition(request: S3Request): WriteCondition {
  const ifNoneMatch = headerValue(request, 'if-none-match')
  const ifMatch = headerValue(request, 'if-match')
  if (ifNoneMatch !== undefined && ifNoneMatch.trim() !== '*') throw new S3Error('NotImplemented')
  if (ifNoneMatch !== undefined && ifMatch !== undefined) throw new S3Error('NotImplemented')
  return { createOnly: ifNoneMatch !== undefined, ifMatch: ifMatch === undefined ? undefined : unquoted(ifMatch) }
}

/**
 * Checks the conditions of a read (RFC 9110, section 13.2.2). Throws `PreconditionFailed` or `NotModified`. With the
 * prefix `x-amz-copy-source-`, checks those of a copy and throws only `PreconditionFailed`.
 */
export function refuseUnlessWanted(request: S3Request, record: ObjectRecord, prefix = ''): void {
  const header = (name: string) => headerValue(request, `${prefix}${name}`)
  const ifMatch = header('if-match')
  const ifNoneMatch = header('if-none-match')
  if (ifMatch === undefined) {
    const since = readDate(header('if-unmodified-since'))
    if (since !== undefined && seconds(record.modified) > since) throw new S3Error('PreconditionFailed')
  } else if (!names(ifMatch, record)) {
    throw new S3Error('PreconditionFailed')
  }
  const since = ifNoneMatch === undefined ? readDate(header('if-modified-since')) : undefined
  const isUnchanged =
    ifNoneMatch === undefined ? since !== undefined && seconds(record.modified) <= since : names(ifNoneMatch, record)
  if (isUnchanged) throw prefix ? new S3Error('PreconditionFailed') : notModified(record)
}

function notModified(record: ObjectRecord): S3Error {
  const headers: Record<string, string> = {
    etag: quoted(record.etag),
    'last-modified': new Date(record.modified).toUTCString(),
  }
  if (record.headers['cache-control']) headers['cache-control'] = record.headers['cache-control']
  return new S3Error('NotModified', undefined, { headers })
}

function names(list: string, record: ObjectRecord): boolean {
  return list.split(',').some((tag) => tag.trim() === '*' || unquoted(tag) === record.etag)
}

/** HTTP dates have no fractions of a second. An invalid date is ignored. */
function readDate(text: string | undefined): number | undefined {
  const time = Date.parse(text ?? '')
  return Number.isNaN(time) ? undefined : Math.floor(time / 1000)
}

function seconds(milliseconds: number): number {
  return Math.floor(milliseconds / 1000)
}
