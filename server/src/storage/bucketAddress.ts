import { isIP } from 'node:net'

/** Where a bucket is and who we are to it: everything that `S3_*` says, and all that the storage layer is told. */
export interface BucketOptions {
  /** The address that this process uses, for example `https://s3.eu-central-1.amazonaws.com`. May carry a path. */
  readonly endpoint: string
  /** `auto` for Cloudflare R2. */
  readonly region: string
  readonly bucket: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
  /** True: `endpoint/bucket/key`; false: `bucket.endpoint/key`. */
  readonly forcePathStyle: boolean
  /** The address that clients see, when it is not `endpoint`. Signed URLs point there. */
  readonly publicEndpoint?: string | undefined
}

/** The parts of a bucket's URL that are the same for every key. */
export interface BucketAddress {
  /** Scheme and host, without a slash at the end. */
  readonly origin: string
  /** What a client sends as `host`: default ports are left out. */
  readonly host: string
  /** What precedes `/<key>` in the path; empty or starting with a slash. */
  readonly pathPrefix: string
  readonly isPathStyle: boolean
}

/**
 * Tells whether a bucket is named by the host or by the path, by the rules of the AWS SDKs: addresses without a name
 * and buckets that are not a host label stay in the path, and so do names with dots under TLS, which no wildcard
 * certificate covers.
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

/** RFC 3986 escaping as SigV4 wants it: everything but `A-Z a-z 0-9 - . _ ~`. Throws on a lone surrogate. */
export function escapeUri(text: string): string {
  const escaped = encodeURIComponent(text)
  return /[!'()*]/.test(escaped) ? escaped.replace(/[!'()*]/g, escapeCharacter) : escaped
}

/** A key as a path: every segment escaped, slashes kept. */
export function escapePath(key: string): string {
  return /^[\w.~/-]*$/.test(key) ? key : key.split('/').map(escapeUri).join('/')
}

function escapeCharacter(character: string): string {
  return `%${character.charCodeAt(0).toString(16).toUpperCase()}`
}
