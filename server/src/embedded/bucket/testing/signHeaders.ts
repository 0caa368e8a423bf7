import { createHash, createHmac } from 'node:crypto'
import type { BucketOptions } from '../../../storage/bucketAddress.ts'

export interface HeadersToSign {
  readonly method: string
  readonly key: string
  readonly headers?: Readonly<Record<string, string>>
  readonly payloadHash: string
  readonly time: Date
  readonly region?: string
  readonly service?: string
}

export interface SignedHeaders {
  readonly url: string
  readonly headers: Record<string, string>
  readonly signature: string
  readonly signingKey: Buffer
  readonly amzDate: string
  readonly scope: string
}

const hmac = (key: Buffer | string, text: string) => createHmac('sha256', key).update(text).digest()
export const sha256Hex = (text: string | Uint8Array) => createHash('sha256').update(text).digest('hex')

/**
 * Signs requests that the AWS SDK cannot make, with any payload hash, region and time. The key must not need escaping.
 */
export function signHeaders(target: BucketOptions, wanted: HeadersToSign): SignedHeaders {
  const { method, key, payloadHash, time, region = target.region, service = 's3' } = wanted
  const amzDate = `${time.toISOString().slice(0, 19).replaceAll(/[-:]/g, '')}Z`
  const scope = `${amzDate.slice(0, 8)}/${region}/${service}/aws4_request`
  const url = `${target.endpoint}/${target.bucket}/${key}`
  const headers: Record<string, string> = {
    ...wanted.headers,
    host: new URL(url).host,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': amzDate,
  }
  const names = Object.keys(headers).sort()
  const lines = names.map((name) => `${name}:${headers[name]}\n`).join('')
  const canonical = [method, `/${target.bucket}/${key}`, '', lines, names.join(';'), payloadHash].join('\n')
  const signingKey = scope.split('/').reduce<Buffer>(hmac, Buffer.from(`AWS4${target.secretAccessKey}`))
  const signature = hmac(signingKey, `AWS4-HMAC-SHA256\n${amzDate}\n${scope}\n${sha256Hex(canonical)}`).toString('hex')
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${target.accessKeyId}/${scope}, SignedHeaders=${names.join(';')}, Signature=${signature}`
  return { url, headers, signature, signingKey, amzDate, scope }
}
