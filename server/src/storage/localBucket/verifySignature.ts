import { createHmac, hash, timingSafeEqual } from 'node:crypto'
import { canonicalRequest } from './canonicalRequest.ts'
import { maxSkewSeconds } from './limits.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, type S3Request, type SignedAddress } from './s3Request.ts'
import { readSignatureClaim, type SignatureClaim } from './signatureClaim.ts'

export interface Credentials {
  readonly region: string
  readonly accessKeyId: string
  readonly secretAccessKey: string
}

/** What a proved signature says about the body, and what the signatures of its chunks build on. */
export interface ProvedSignature {
  readonly source: 'header' | 'query'
  readonly payloadHash: string
  readonly time: string
  readonly scope: string
  readonly signingKey: Buffer
  readonly signature: string
}

/**
 * Proves that the holder of the secret signed exactly this request, and signed it recently:
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

/** Takes as long whichever digit differs. */
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

/** A header that S3 acts upon and nobody signed could have been added by anyone who saw the URL. */
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
