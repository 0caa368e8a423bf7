import { createHmac, createSecretKey, hash, type KeyObject } from 'node:crypto'
import { escapeUri, type BucketAddress } from '../bucketAddress.ts'

const maxExpirySeconds = 7 * 24 * 60 * 60

export interface SigningCredentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** One request to be presigned. */
export interface RequestToPresign {
  readonly method: 'GET' | 'HEAD'
  /** Escaped. Includes the bucket if it is in the path. */
  readonly path: string
  /** Escaped and sorted, each `&name=value`. Names sort after `X-Amz-…`, as all S3 parameters do. */
  readonly query: string
  /** Headers to sign besides `host`. Their names are in lower case, sorted, and sort after `host`. */
  readonly headers?: Readonly<Record<string, string>>
  readonly expiresInSeconds: number
  readonly now: Date
}

/** Values that change only at midnight (UTC). */
interface SigningDay {
  readonly day: string
  readonly key: KeyObject
  readonly scope: string
  readonly queryStart: string
}

/** Values that all URLs of one second share. A page of files is signed within a second. */
interface SigningSecond {
  readonly second: number
  readonly key: KeyObject
  readonly queryStart: string
  readonly stringToSignStart: string
}

/**
 * Presigns read requests with AWS Signature Version 4 in the query string, byte for byte as the AWS SDK does:
 * https://docs.aws.amazon.com/AmazonS3/latest/API/sigv4-query-string-auth.html
 *
 * A page of files needs one signature per row, so everything that depends only on the credentials and the day is
 * computed once. One SHA-256 and one HMAC remain.
 */
export function createQuerySigner(address: BucketAddress, region: string, credentials: SigningCredentials) {
  const token = credentials.sessionToken ? `&X-Amz-Security-Token=${escapeUri(credentials.sessionToken)}` : ''
  let today: SigningDay | undefined
  let current: SigningSecond | undefined

  function signedHeaders(others: Readonly<Record<string, string>>) {
    const headers = Object.entries({ host: address.host, ...others })
    const names = headers.map(([name]) => name).join(';')
    return { names, lines: headers.map(([name, value]) => `${name}:${value}\n`).join('') }
  }
  const hostAlone = signedHeaders({})

  function secondOf(now: Date): SigningSecond {
    const second = Math.floor(now.getTime() / 1000)
    if (current?.second === second) return current
    const time = compactTime(now)
    const day = time.slice(0, 8)
    if (today?.day !== day) today = startDay(day, region, credentials)
    const stringToSignStart = `AWS4-HMAC-SHA256\n${time}\n${today.scope}\n`
    current = { second, key: today.key, queryStart: `${today.queryStart}${time}&X-Amz-Expires=`, stringToSignStart }
    return current
  }

  return function presign(request: RequestToPresign): string {
    refuseBadExpiry(request.expiresInSeconds)
    const { key, queryStart, stringToSignStart } = secondOf(request.now)
    const start = `${queryStart}${request.expiresInSeconds}${token}`
    const { names, lines } = request.headers ? signedHeaders(request.headers) : hostAlone
    const end = `&X-Amz-SignedHeaders=${names.replaceAll(';', '%3B')}${request.query}`
    const resource = `${request.method}\n${request.path}\n${start}${end}`
    const canonicalRequest = `${resource}\n${lines}\n${names}\nUNSIGNED-PAYLOAD`
    const stringToSign = stringToSignStart + hash('sha256', canonicalRequest)
    const signature = createHmac('sha256', key).update(stringToSign).digest('hex')
    return `${address.origin}${request.path}?${start}&X-Amz-Signature=${signature}${end}`
  }
}

function startDay(day: string, region: string, credentials: SigningCredentials): SigningDay {
  const scope = `${day}/${region}/s3/aws4_request`
  const key = scope
    .split('/')
    .reduce(
      (parent, part) => createHmac('sha256', parent).update(part).digest(),
      Buffer.from(`AWS4${credentials.secretAccessKey}`),
    )
  const credential = escapeUri(`${credentials.accessKeyId}/${scope}`)
  const queryStart = `X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Content-Sha256=UNSIGNED-PAYLOAD&X-Amz-Credential=${credential}&X-Amz-Date=`
  return { day, key: createSecretKey(key), scope, queryStart }
}

/** `20261121T070420Z`: the format of SigV4, in seconds. */
function compactTime(now: Date): string {
  const iso = now.toISOString()
  return `${iso.slice(0, 4)}${iso.slice(5, 7)}${iso.slice(8, 13)}${iso.slice(14, 16)}${iso.slice(17, 19)}Z`
}

export function refuseBadExpiry(seconds: number): void {
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= maxExpirySeconds) return
  throw new RangeError(`A signed URL lives from 1 second to 7 days, not ${seconds} seconds`)
}
