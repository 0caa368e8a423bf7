import type { IncomingMessage } from 'node:http'
import { maxKeyBytes } from './limits.ts'
import { S3Error } from './s3Error.ts'

/** An address for which a client may have signed a request. A proxy can change both parts. */
export interface SignedAddress {
  /** The `host` header. Null: as received. */
  readonly host: string | null
  /** The path before the bucket: empty, or `/files/bucket`. */
  readonly pathPrefix: string
}

/** A parsed request. Nothing in it is verified yet. */
export interface S3Request {
  readonly http: IncomingMessage
  readonly method: string
  /** The path as received, without the part before the bucket. */
  readonly rawPath: string
  /** Empty for the endpoint itself. */
  readonly bucket: string
  /** Empty for the bucket itself. Never normalised: `a/../b` and `a//b` are keys. */
  readonly key: string
  /** Decoded, in the received order. */
  readonly query: readonly (readonly [name: string, value: string])[]
  /** The signature must match one of these. */
  readonly signedAddresses: readonly SignedAddress[]
  /** Sends `100 Continue` if the client waits for it. */
  readonly invite: () => void
}

export const asReceived: readonly SignedAddress[] = [{ host: null, pathPrefix: '' }]

/** `mountPath` is the path before the bucket in this request. */
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

/** The path and the query of a request target. Some proxies send a whole URL; its scheme and host are dropped. */
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

/** Throws `InvalidURI` for an invalid escape and for invalid UTF-8. */
function decode(text: string): string {
  if (!text.includes('%') && !/[^\x21-\x7e]/.test(text)) return text
  try {
    return decodeURIComponent(text)
  } catch {
    throw new S3Error('InvalidURI')
  }
}

/** The value of a query parameter. Empty for a name without a value. Throws if it occurs twice. */
export function queryValue(request: S3Request, name: string): string | undefined {
  const found = request.query.filter(([candidate]) => candidate === name)
  if (found.length > 1) throw new S3Error('InvalidArgument', `The parameter ${name} is there more than once`)
  return found[0]?.[1]
}

/**
 * A header, or the `x-amz-*` query parameter of the same name in a signed URL, because presigners move such headers to
 * the query. Checksums are an exception, as in S3: the AWS SDK adds the checksum of an empty body to every URL.
 */
export function headerValue(request: S3Request, name: string): string | undefined {
  const values = request.http.headersDistinct[name]
  if (values) return values.join(',')
  if (!name.startsWith('x-amz-') || name.startsWith('x-amz-checksum-')) return undefined
  return request.query.find(([candidate]) => candidate.toLowerCase() === name)?.[1]
}

/** All `x-amz-meta-*` headers. Names are without the prefix. */
export function userMetadata(request: S3Request): Record<string, string> {
  const prefix = 'x-amz-meta-'
  const names = [...Object.keys(request.http.headersDistinct), ...request.query.map(([name]) => name.toLowerCase())]
  const own = new Set(names.filter((name) => name.startsWith(prefix)))
  return Object.fromEntries([...own].map((name) => [name.slice(prefix.length), headerValue(request, name) ?? '']))
}
