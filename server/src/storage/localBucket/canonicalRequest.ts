import { escapePath, escapeUri } from '../bucketAddress.ts'
import type { S3Request } from './s3Request.ts'
import type { SignatureClaim } from './signatureClaim.ts'

/**
 * The text that a signature is made over:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html
 *
 * The path and the query are escaped anew, so that it does not matter which characters the client escaped on the wire,
 * and S3's paths are never normalised. Header values are the bytes that came, one character each (latin1).
 */
export function canonicalRequest(request: S3Request, claim: SignatureClaim): string {
  const headers = claim.signedHeaders.map((name) => `${name}:${canonicalValue(request, name)}\n`).join('')
  return [
    request.method,
    canonicalPath(request),
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
