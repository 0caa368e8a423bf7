import { isIP } from 'node:net'

/** The address and the credentials of a bucket: the values of `S3_*`. */
export interface BucketOptions {
  /** The address that this process uses, for example `https://s3.eu-central-1.amazonaws.com`. Can have a path. */
  readonly endpoint: string
  /** `auto` for Cloudflare R2. */
  readonly region: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  /** True: `endpoint/bucket/key`; false: `bucket.endpoint/key`. */
  readonly forcePathStyle: boolean
  /** The address for clients, if it differs from `endpoint`. Signed URLs use it. */
  readonly publicEndpoint?: string | undefined
}

/** The parts of a bucket's URL that are the same for every key. */
export interface BucketAddress {
  /** Scheme and host, without a trailing slash. */
  readonly origin: string
  /** The `host` header of a client. Omits a default port. */
  readonly host: string
  /** The path before `/<key>`. Empty, or starts with a slash. */
  readonly pathPrefix: string
  readonly isPathStyle: boolean
}

/**
 * Decides whether the bucket is in the host or in the path, by the rules of the AWS SDKs. It stays in the path if the
 * endpoint is an IP address, if the bucket's name is not a host label, and under TLS if the name has dots, which no
 * wildcard certificate covers.
 */
export function bucketAddress(endpoint: string, bucket: string, forcePathStyle: boolean): BucketAddress {
  const url = new URL(endpoint)
  const base = url.pathname.replace(/\/$/, '')
  if (forcePathStyle || isIP(url.hostname.replace(/^\[|\]$/g, '')) || !canBeHost(bucket, url.protocol)) {
    return { origin: url.origin, host: url.host, pathPrefix: `${base}/${escapeUri(bucket)}`, isPathStyle: true }
  }
  const host = `${bucket}.${url.host}`
  return { origin: `${url.protocol}//${host}`, host, pathPrefix: base, isPathStyle: false }
}

function canBeHost(bucket: string, protocol: string): boolean {
  if (isIP(bucket)) return false
  const labels = protocol === 'http:' ? bucket.split('.') : [bucket]
  return labels.every((label) => label.length >= 3 && /^(?!-)[a-z0-9-]{1,63}(?<!-)$/.test(label))
}

/** Escapes as SigV4 requires (RFC 3986): everything but `A-Z a-z 0-9 - . _ ~`. Throws on a lone surrogate. */
export function escapeUri(text: string): string {
  const escaped = encodeURIComponent(text)
  return /[!'()*]/.test(escaped) ? escaped.replace(/[!'()*]/g, escapeCharacter) : escaped
}

/** Escapes every segment of a key and keeps the slashes. */
export function escapePath(key: string): string {
  return /^[\w.~/-]*$/.test(key) ? key : key.split('/').map(escapeUri).join('/')
}

function escapeCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
