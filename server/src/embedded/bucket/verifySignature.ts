import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { maxSkewSeconds } from './limits.ts'
import { S3Error } from './s3Error.ts'
import { type S3Request, type SignedAddress, headerValue } from './s3Request.ts'
import { type SignatureClaim, readSignatureClaim } from './signatureClaim.ts'

/**
 * The canonical request, from which a signature for this address is computed:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * Path and query are escaped again, so that the characters that the client escaped do not matter. S3 does not normalise
 * paths. Header values are the received bytes, one character each (latin1).
 */
function canonicalRequest(request: S3Request, claim: SignatureClaim, address: SignedAddress): string {
  const valueOf = (name: string) => (name === 'host' && address.host) || canonicalValue(request, name)
  const headers = claim.signedHeaders.map((name) => `${name}:${valueOf(name)}\n`).join('')
  return [
    request.method,
    `${address.pathPrefix}${canonicalPath(request)}`,
    canonicalQuery(request, claim),
    headers,
    claim.signedHeadersText,
    claim.payloadHash,
  ].join('\n')
}

function canonicalPath(request: S3Request): string {
  const hasKeyPart = request.rawPath.includes('/', 1)
  return `/${escapeUri(request.bucket)}${hasKeyPart ? `/${escapePath(request.key)}` : ''}`
}

function canonicalQuery(request: S3Request, claim: SignatureClaim): string {
  return request.query
    .filter(([name]) => claim.source === 'header' || name !== 'X-Amz-Signature')
    .map(([name, value]) => [escapeUri(name), escapeUri(value)] as const)
    .sort(([nameA, valueA], [nameB, valueB]) => compare(nameA, nameB) || compare(valueA, valueB))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : Number(a > b)
}

function canonicalValue(request: S3Request, name: string): string {
  const values = request.http.headersDistinct[name] ?? []
  return values.map((value) => value.trim().replaceAll(/[ \t]+/g, ' ')).join(',')
}

export interface Credentials {
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** The signed payload hash, and the values that the signatures of chunks build on. */
export interface ProvedSignature {
  readonly source: 'header' | 'query'
  readonly payloadHash: string
  readonly time: string
  readonly scope: string
  readonly signingKey: Buffer
  readonly signature: string
}

/**
 * Verifies that the holder of the secret signed exactly this request, and did so recently:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-authenticating-requests.html
 */
export function verifySignature(request: S3Request, credentials: Credentials, now: Date): ProvedSignature {
  const claim = readSignatureClaim(request)
  if (claim.accessKeyId !== credentials.accessKeyId) throw new S3Error('InvalidAccessKeyId')
  if (headerValue(request, 'x-amz-security-token') !== undefined) throw new S3Error('InvalidToken')
  refuseWrongScope(claim, credentials.region)
  refuseWrongTime(claim, now)
  refuseUnsignedHeaders(request, claim)

  const scope = `${claim.day}/${claim.region}/s3/aws4_request`
  const signingKey = deriveSigningKey(credentials.secretAccessKey, scope)
  const isSignedFor = (address: SignedAddress) => {
    const digest = hash('sha256', Buffer.from(canonicalRequest(request, claim, address), 'latin1'))
    return isSameSignature(sign(signingKey, `AWS4-HMAC-SHA256\n${claim.time}\n${scope}\n${digest}`), claim.signature)
  }
  if (!request.signedAddresses.some(isSignedFor)) throw new S3Error('SignatureDoesNotMatch')
  return {
    source: claim.source,
    payloadHash: claim.payloadHash,
    time: claim.time,
    scope,
    signingKey,
    signature: claim.signature,
  }
}

export function sign(key: Buffer, text: string): string {
  return createHmac('sha256', key).update(text).digest('hex')
}

/** Compares in constant time. */
export function isSameSignature(expected: string, given: string): boolean {
  return /^[0-9a-f]{64}$/.test(given) && timingSafeEqual(Buffer.from(expected), Buffer.from(given))
}

function deriveSigningKey(secret: string, scope: string): Buffer {
  return scope
    .split('/')
    .reduce((key, part) => createHmac('sha256', key).update(part).digest(), Buffer.from(`AWS4${secret}`))
}

function refuseWrongScope(claim: SignatureClaim, region: string): void {
  if (claim.region !== region) {
    throw new S3Error('SignatureDoesNotMatch', `The region '${claim.region}' is wrong; expecting '${region}'`, {
      details: { Region: region },
    })
  }
  if (claim.service !== 's3' || claim.terminator !== 'aws4_request' || !claim.time.startsWith(`${claim.day}T`)) {
    throw new S3Error(
      'SignatureDoesNotMatch',
      'The scope of the credential should be "<day of the request>/REGION/s3/aws4_request"',
    )
  }
}

function refuseWrongTime(claim: SignatureClaim, now: Date): void {
  const signedAt = readTime(claim.time)
  const ageSeconds = (now.getTime() - signedAt) / 1000
  if (claim.expiresSeconds === undefined) {
    if (Math.abs(ageSeconds) > maxSkewSeconds) throw new S3Error('RequestTimeTooSkewed')
    return
  }
  if (ageSeconds < -maxSkewSeconds) throw new S3Error('AccessDenied', 'Request is not valid yet')
  if (ageSeconds > claim.expiresSeconds) {
    const Expires = new Date(signedAt + claim.expiresSeconds * 1000).toISOString()
    throw new S3Error('AccessDenied', 'Request has expired', { details: { Expires, ServerTime: now.toISOString() } })
  }
}

function readTime(text: string): number {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  const time = match
    ? Date.parse(`${match[1]}-${match[2]}-${match[3]}T${match[4]}:${match[5]}:${match[6]}Z`)
    : Number.NaN
  if (Number.isNaN(time))
    throw new S3Error('AccessDenied', 'The date of the signature should look like 20261121T071034Z')
  return time
}

/** Refuses an unsigned header that affects the request: everybody who saw the URL could have added it. */
function refuseUnsignedHeaders(request: S3Request, claim: SignatureClaim): void {
  const present = Object.keys(request.http.headersDistinct)
  const unsigned = present.filter(
    (name) => (name === 'host' || name.startsWith('x-amz-')) && !claim.signedHeaders.includes(name),
  )
  if (unsigned.length > 0 || !claim.signedHeaders.includes('host')) {
    throw new S3Error('AccessDenied', 'There were headers present in the request which were not signed', {
      details: { HeadersNotSigned: unsigned.join(', ') },
    })
  }
  if (claim.signedHeaders.some((name) => !present.includes(name))) throw new S3Error('SignatureDoesNotMatch')
}

/**
 * RFC 3986 escaping as SigV4 requires. Implemented separately from the signer, so that a fault there cannot hide
 * itself.
 */
const escapeUri = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (mark) => `%${mark.charCodeAt(0).toString(16).toUpperCase()}`)

const escapePath = (path: string): string => path.split('/').map(escapeUri).join('/')
