import { escapePath, escapeUri } from '../bucketAddress.ts'
import type { S3Request, SignedAddress } from './s3Request.ts'
import type { SignatureClaim } from './signatureClaim.ts'

/**
 * The text that a signature for this address is computed over:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * Path and query are escaped again, so that it does not matter which characters the client escaped. S3 does not
 * normalise paths. Header values are the received bytes, one character each (latin1).
 */
export function canonicalRequest(request: S3Request, claim: SignatureClaim, address: SignedAddress): string {
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
