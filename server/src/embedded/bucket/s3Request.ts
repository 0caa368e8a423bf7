import type { IncomingMessage } from 'node:http'
import { maxKeyBytes } from './limits.ts'
import { S3Error } from './s3Error.ts'

/** One address that a client may have signed a request for. A proxy can change both parts on the way. */
export interface SignedAddress {
  /** The `host` header. Null: as received. */
  readonly host: string | null
  /** What precedes the bucket in the path: empty, or `/files/bucket`. */
  readonly pathPrefix: string
}

/** A request taken apart. Nothing in it is verified yet. */
export interface S3Request {
  readonly http: IncomingMessage
  readonly method: string
  /** The path as received, without what precedes the bucket. */
  readonly rawPath: string
  /** Empty for the endpoint itself. */
  readonly bucket: string
  /** Empty for the bucket itself. Never normalised: `a/../b` and `a//b` are keys like others. */
  readonly key: string
  /** Decoded, in the order they came. */
  readonly query: readonly (readonly [name: string, value: string])[]
  /** The signature must hold for one of these. */
  readonly signedAddresses: readonly SignedAddress[]
  /** Asks the client for the body when it waits for `100 Continue`. */
  readonly invite: () => void
}

export const asReceived: readonly SignedAddress[] = [{ host: null, pathPrefix: '' }]

/** `mountPath` precedes the bucket in the path of this request. */
export function readTarget(http: IncomingMessage, invite: () => void, mountPath = ''): S3Request {
  const [wholePath, rawQuery] = splitTarget(http.url ?? '/')
  const rawPath = wholePath.slice(mountPath.length) || '/'
  const slash = rawPath.indexOf('/', 1)
  const bucket = decode(slash < 0 ? rawPath.slice(1) : rawPath.slice(1, slash))
  const key = slash < 0 ? '' : decode(rawPath.slice(slash + 1))
  if (Buffer.byteLength(key) > maxKeyBytes) throw new S3Error('KeyTooLongError')
  const query = readQuery(rawQuery)
  return { http, method: http.method ?? 'GET', rawPath, bucket, key, query, signedAddresses: asReceived, invite }
}

/** Path and query of a request target. Some proxies send a whole URL; its scheme and host are dropped. */
export function splitTarget(url: string): [path: string, query: string] {
  const target = url.startsWith('/') ? url : url.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, '')
  const mark = target.indexOf('?')
  const path = mark < 0 ? target : target.slice(0, mark)
  return [path.startsWith('/') ? path : `/${path}`, mark < 0 ? '' : target.slice(mark + 1)]
}

function readQuery(raw: string): S3Request['query'] {
  if (raw === '') return []
  return raw
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const equals = pair.indexOf('=')
      const [name, value] = equals < 0 ? [pair, ''] : [pair.slice(0, equals), pair.slice(equals + 1)]
      return [decode(name.replaceAll('+', ' ')), decode(value.replaceAll('+', ' '))] as const
    })
}

/** Throws `InvalidURI` for a broken escape, and for bytes that are not UTF-8. */
function decode(text: string): string {
  if (!text.includes('%') && !/[^\x21-\x7e]/.test(text)) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw new S3Error('InvalidURI')
  }
}

/** The value of a query parameter, empty for a bare name. Throws when it is there twice. */
export function queryValue(request: S3Request, name: string): string | undefined {
  const found = request.query.filter(([candidate]) => candidate === name)
  if (found.length > 1) throw new S3Error('InvalidArgument', `The parameter ${name} is there more than once`)
  return found[0]?.[1]
}

/**
 * A header, or, as in S3, an `x-amz-*` parameter of a signed URL in its place: presigners move such headers to the query.
 * Checksums are the exception, here as there: the AWS SDK puts the checksum of an empty body into every URL.
 */
export function headerValue(request: S3Request, name: string): string | undefined {
  const values = request.http.headersDistinct[name]
  if (values) return values.join(',')
  if (!name.startsWith('x-amz-') || name.startsWith('x-amz-checksum-')) return undefined
  return request.query.find(([candidate]) => candidate.toLowerCase() === name)?.[1]
}

/** All `x-amz-meta-*`, names without the prefix. */
export function userMetadata(request: S3Request): Record<string, string> {
  const prefix = 'x-amz-meta-'
  const names = [...Object.keys(request.http.headersDistinct), ...request.query.map(([name]) => name.toLowerCase())]
  const own = new Set(names.filter((name) => name.startsWith(prefix)))
  return Object.fromEntries([...own].map((name) => [name.slice(prefix.length), headerValue(request, name) ?? '']))
}
