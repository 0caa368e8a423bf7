import { request, type IncomingHttpHeaders, type IncomingMessage } from 'node:http'
import { request as requestOverTls } from 'node:https'
import { S3Client, type GetObjectCommand, type PutObjectCommand } from '@aws-sdk/client-s3'
import { getSignedUrl } from '@aws-sdk/s3-request-presigner'
import type { BucketOptions } from '../../bucketAddress.ts'

/** A bucket under test, and a prefix in it that is the test's own. */
export interface S3Scene {
  readonly target: BucketOptions
  readonly client: S3Client
  readonly prefix: string
  newKey(): string
}

export interface RawAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
  readonly text: string
  /** What stands in `<Code>`. */
  readonly code: string | undefined
}

export interface RawRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Uint8Array | string | AsyncIterable<Uint8Array>
}

/** Sends a URL exactly as it is written: `fetch` would take `..` out of the path, and sets headers of its own. */
export function sendRaw(url: string, { method = 'GET', headers = {}, body }: RawRequest = {}): Promise<RawAnswer> {
  const [, scheme, host, path] = /^(https?):\/\/([^/]+)(.*)$/s.exec(url) ?? []
  const { hostname, port } = new URL(`${scheme}://${host}`)
  return new Promise((resolve, reject) => {
    const ask = scheme === 'https' ? requestOverTls : request
    const options = { hostname: hostname.replaceAll(/[[\]]/g, ''), port, path, method, headers, agent: false }
    const outgoing = ask(options, (answer) => {
      readAnswer(answer).then(resolve, reject)
    })
    outgoing.on('error', reject)
    if (body === undefined || typeof body === 'string' || body instanceof Uint8Array) outgoing.end(body)
    else void sendSlowly(outgoing, body)
  })
}

async function readAnswer(answer: IncomingMessage): Promise<RawAnswer> {
  const body = Buffer.concat((await answer.toArray()) as Buffer[])
  const text = body.toString()
  const code = /<Code>(\w+)<\/Code>/.exec(text)?.[1]
  return { status: answer.statusCode ?? 0, headers: answer.headers, body, text, code }
}

async function sendSlowly(outgoing: ReturnType<typeof request>, body: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of body) outgoing.write(chunk)
  outgoing.end()
}

/** The AWS SDK: the signer that knows nothing of ours. `checksums` as an installation has them, or as the SDK comes. */
export function createClient(
  target: BucketOptions,
  checksums: 'WHEN_REQUIRED' | 'WHEN_SUPPORTED' = 'WHEN_REQUIRED',
): S3Client {
  const { accessKeyId, secretAccessKey } = target
  return new S3Client({
    endpoint: target.endpoint,
    region: target.region,
    forcePathStyle: target.forcePathStyle,
    credentials: { accessKeyId, secretAccessKey },
    requestChecksumCalculation: checksums,
    responseChecksumValidation: checksums,
    maxAttempts: 1,
  })
}

/** Signs a URL that binds those headers too. */
export function presign(
  client: S3Client,
  command: GetObjectCommand | PutObjectCommand,
  signed: readonly string[] = [],
  signingDate = new Date(),
): Promise<string> {
  const names = new Set(signed)
  return getSignedUrl(client, command, {
    expiresIn: 60,
    signingDate,
    signableHeaders: names,
    unhoistableHeaders: names,
  })
}

export function statusOf(work: Promise<unknown>): Promise<number | undefined> {
  return work.then(
    () => 200,
    (error: { $metadata?: { httpStatusCode?: number } }) => error.$metadata?.httpStatusCode,
  )
}
