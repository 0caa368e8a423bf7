import { maxExpirySeconds } from './limits.ts'
import { S3Error } from './s3Error.ts'
import { headerValue, queryValue, type S3Request } from './s3Request.ts'

/** The signature (AWS Signature Version 4) that a request claims to have. Nothing is verified yet. */
export interface SignatureClaim {
  readonly source: 'header' | 'query'
  readonly accessKeyId: string
  /** `20261121`, the region and the service, then `aws4_request`. */
  readonly day: string
  readonly region: string
  readonly service: string
  readonly terminator: string
  /** `20261121T071034Z`. */
  readonly time: string
  readonly signedHeaders: readonly string[]
  /** In the signer's form: `content-length;host`. */
  readonly signedHeadersText: string
  readonly signature: string
  /** The hash or constant for the body in the canonical request. */
  readonly payloadHash: string
  /** Only in a signed URL. */
  readonly expiresSeconds?: number
}

const algorithm = 'AWS4-HMAC-SHA256'

/** Throws `AccessDenied` for an anonymous request, and S3's error codes for an invalid signature header or query. */
export function readSignatureClaim(request: S3Request): SignatureClaim {
  const authorization = request.http.headers.authorization
  const isQuerySigned = request.query.some(([name]) => name === 'X-Amz-Algorithm' || name === 'X-Amz-Signature')
  if (authorization !== undefined && isQuerySigned) {
    throw new S3Error(
      'InvalidArgument',
      'Only one auth mechanism allowed; only the X-Amz-Algorithm query parameter or the Authorization header should be specified',
    )
  }
  if (isQuerySigned) return readQueryClaim(request)
  if (authorization !== undefined) return readHeaderClaim(request, authorization)
  const isOlder = request.query.some(([name]) => name === 'AWSAccessKeyId')
  throw isOlder ? unsupportedMechanism() : new S3Error('AccessDenied')
}

function readHeaderClaim(request: S3Request, authorization: string): SignatureClaim {
  if (!authorization.startsWith(`${algorithm} `)) throw unsupportedMechanism()
  const fields = new Map(
    authorization
      .slice(algorithm.length)
      .split(',')
      .map((field) => field.trim().split(/=(.*)/s, 2) as [string, string | undefined]),
  )
  const credential = fields.get('Credential')
  const signedHeaders = fields.get('SignedHeaders')
  const signature = fields.get('Signature')
  if (fields.size !== 3 || !credential || !signedHeaders || !signature)
    throw new S3Error('AuthorizationHeaderMalformed')
  const payloadHash = request.http.headers['x-amz-content-sha256']
  if (typeof payloadHash !== 'string') {
    throw new S3Error('InvalidRequest', 'Missing required header for this request: x-amz-content-sha256')
  }
  return {
    source: 'header',
    ...readCredential(credential, 'AuthorizationHeaderMalformed'),
    time: headerTime(request),
    ...readSignedHeaders(signedHeaders),
    signature,
    payloadHash,
  }
}

function readQueryClaim(request: S3Request): SignatureClaim {
  const parameter = (name: string) => {
    const value = queryValue(request, name)
    if (value) return value
    throw new S3Error(
      'AuthorizationQueryParametersError',
      'Query-string authentication version 4 requires the X-Amz-Algorithm, X-Amz-Credential, X-Amz-Signature, X-Amz-Date, X-Amz-SignedHeaders, and X-Amz-Expires parameters.',
    )
  }
  if (parameter('X-Amz-Algorithm') !== algorithm) {
    throw new S3Error('AuthorizationQueryParametersError', `X-Amz-Algorithm only supports "${algorithm}"`)
  }
  return {
    source: 'query',
    ...readCredential(parameter('X-Amz-Credential'), 'AuthorizationQueryParametersError'),
    time: parameter('X-Amz-Date'),
    expiresSeconds: readExpiry(parameter('X-Amz-Expires')),
    ...readSignedHeaders(parameter('X-Amz-SignedHeaders')),
    signature: parameter('X-Amz-Signature'),
    payloadHash: headerValue(request, 'x-amz-content-sha256') ?? 'UNSIGNED-PAYLOAD',
  }
}

function readCredential(text: string, code: 'AuthorizationHeaderMalformed' | 'AuthorizationQueryParametersError') {
  const [terminator, service, region, day, ...key] = text.split('/').reverse()
  const accessKeyId = key.reverse().join('/')
  if (!terminator || !service || region === undefined || !day || !accessKeyId) {
    throw new S3Error(
      code,
      'Error parsing the credential; it should be "<access key id>/YYYYMMDD/REGION/SERVICE/aws4_request".',
    )
  }
  return { accessKeyId, day, region, service, terminator }
}

function readSignedHeaders(text: string): Pick<SignatureClaim, 'signedHeaders' | 'signedHeadersText'> {
  return { signedHeaders: text.split(';'), signedHeadersText: text }
}

function readExpiry(text: string): number {
  const seconds = /^\d{1,9}$/.test(text) ? Number(text) : Number.NaN
  if (seconds >= 1 && seconds <= maxExpirySeconds) return seconds
  throw new S3Error(
    'AuthorizationQueryParametersError',
    `X-Amz-Expires must be a number of seconds from 1 to ${maxExpirySeconds} (a week)`,
  )
}

/** `x-amz-date`, or else `date`, in the compact form that is signed. */
function headerTime(request: S3Request): string {
  const own = request.http.headers['x-amz-date']
  if (typeof own === 'string') return own
  const date = new Date(request.http.headers.date ?? '')
  if (Number.isNaN(date.getTime()))
    throw new S3Error('AccessDenied', 'AWS authentication requires a valid Date or x-amz-date header')
  return `${date.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
}

function unsupportedMechanism(): S3Error {
  return new S3Error(
    'InvalidRequest',
    `The authorization mechanism you have provided is not supported. Please use ${algorithm}.`,
  )
}
