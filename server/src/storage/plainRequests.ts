import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import type { ListOptions, StoredObject } from './blobStore.ts'
import { bucketAddress, escapePath, escapeUri } from './bucketAddress.ts'
import type { BucketOptions } from './bucketOptions.ts'
import { readPlainListing } from './readPlainListing.ts'
import { type ObjectStart, readStoredObject } from './readS3Answer.ts'
import type { S3Patience } from './s3Client.ts'
import { createQuerySigner } from './sigV4Query.ts'

/**
 * The questions that sweeps ask by the million, without the SDK, which takes 2 ms of a processor for a HEAD and 20 µs
 * for each object of a listing. Only a plain good answer counts: whatever else comes is `undefined`, and the caller asks
 * again through the SDK, which tries several times, minds a wrong clock and knows what the error was.
 */
export interface PlainRequests {
  /** Null where the store says that nothing lies under the key, which the caller has to make sure of. */
  head(key: string): Promise<StoredObject | null | undefined>
  /**
   * The object, or the range of it that is asked for (`bytes=0-99`). Of its body only as many bytes are read as the answer
   * says that its length deserves; then the connection is dropped.
   */
  get(key: string, range: string | undefined, bytesOf: BytesOf): Promise<ObjectAnswer | undefined>
  /** True where the bucket is there and ours to ask. */
  ping(): Promise<true | undefined>
  list(options: ListOptions, maxKeys: number): Promise<ListObjectsV2CommandOutput | undefined>
  close(): void
}

/** An object, or the code of S3 that says why none came. */
export type ObjectAnswer = ObjectStart | 'NoSuchKey' | 'InvalidRange'

/** How much to read of a body of that length. */
export type BytesOf = (length: number) => number

const usualRestMilliseconds = 10_000
const expiresInSeconds = 300
const maxConnections = 50
const maxBodyBytes = 16 * 1024 ** 2

interface Question {
  readonly method: 'GET' | 'HEAD'
  readonly path: string
  readonly query?: string
  readonly range?: string | undefined
  readonly bytesOf?: BytesOf
}

interface PlainAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export function createPlainRequests(options: BucketOptions, patience: S3Patience): PlainRequests {
  const address = bucketAddress(options.endpoint, options.bucket, options.forcePathStyle)
  const presign = createQuerySigner(address, options.region, options)
  const isTls = address.origin.startsWith('https:')
  const agent = new (isTls ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: maxConnections })
  const bucketPath = address.pathPrefix || '/'
  const { answerMilliseconds, restMilliseconds = usualRestMilliseconds } = patience
  let restsUntil = 0

  const pathOf = (key: string) => `${address.pathPrefix}/${escapePath(key)}`

  function presignFor({ method, path, query = '' }: Question, checksums: Readonly<Record<string, string>>): string {
    const signedHeaders = ['host', ...Object.keys(checksums)].join(';')
    const lines = [`host:${address.host}`, ...Object.entries(checksums).map(([name, value]) => `${name}:${value}`)]
    const canonicalHeaders = lines.map((line) => `${line}\n`).join('')
    return presign({ method, path, query, signedHeaders, canonicalHeaders, expiresInSeconds, now: new Date() })
  }

  async function ask(question: Question): Promise<PlainAnswer | undefined> {
    if (performance.now() < restsUntil) return undefined
    const { method, path, range, bytesOf } = question
    const checksums = method === 'HEAD' ? { 'x-amz-checksum-mode': 'ENABLED' } : {}
    const headers = { ...checksums, ...(range !== undefined && { range }), 'accept-encoding': 'identity' }
    const send = isTls ? httpsRequest : httpRequest
    const answer = await new Promise<PlainAnswer | undefined>((resolve) => {
      const request = send(presignFor(question, checksums), { method, agent, headers })
      request.setTimeout(answerMilliseconds, () => request.destroy())
      request.on('error', () => resolve(undefined))
      request.on('response', (response) => void readAnswer(response, bytesOf).then(resolve, () => resolve(undefined)))
      request.end()
    })
    const isPlain = answer !== undefined && plainStatuses(path !== bucketPath, range).includes(answer.status)
    if (!isPlain) restsUntil = performance.now() + restMilliseconds
    return isPlain ? answer : undefined
  }

  return {
    async head(key) {
      const answer = await ask({ method: 'HEAD', path: pathOf(key) })
      return answer?.status === 404 ? null : answer && readHead(answer)
    },
    async get(key, range, bytesOf) {
      const answer = await ask({ method: 'GET', path: pathOf(key), range, bytesOf })
      return answer && readObject(answer)
    },
    ping: async () => (await ask({ method: 'HEAD', path: bucketPath })) && true,
    async list(page, maxKeys) {
      const answer = await ask({ method: 'GET', path: bucketPath, query: listingQuery(page, maxKeys) })
      return answer && readPlainListing(answer.body.toString())
    },
    close: () => agent.destroy(),
  }
}

function plainStatuses(isObject: boolean, range: string | undefined): readonly number[] {
  if (!isObject) return [200]
  return range === undefined ? [200, 404] : [200, 206, 404, 416]
}

/** Rejects where the connection ends before the body does. Leaving the loop drops the connection. */
async function readAnswer(response: IncomingMessage, bytesOf: BytesOf | undefined): Promise<PlainAnswer> {
  const { statusCode: status = 0, headers } = response
  const maxBytes = bytesOf?.(Number(headers['content-length'] ?? Infinity)) ?? maxBodyBytes
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxBytes && !bytesOf) throw new Error('The answer is too long')
    if (length > maxBytes) break
  }
  return { status, headers, body: Buffer.concat(chunks, Math.min(length, maxBytes)) }
}

function readHead({ headers }: PlainAnswer): StoredObject | undefined {
  const { etag, 'content-length': length = '', 'content-type': ContentType = '' } = headers
  if (!etag || !/^\d{1,15}$/.test(length)) return undefined
  const header = (name: string) => (typeof headers[name] === 'string' ? headers[name] : undefined)
  return readStoredObject({
    $metadata: {},
    ETag: etag,
    ContentLength: Number(length),
    ContentType,
    ChecksumSHA256: header('x-amz-checksum-sha256'),
    ChecksumType: header('x-amz-checksum-type') === 'COMPOSITE' ? 'COMPOSITE' : undefined,
  })
}

/** A page that is none of the store's names no ETag; an error that is none of the key's goes through the SDK as well. */
function readObject({ status, headers, body }: PlainAnswer): ObjectAnswer | undefined {
  const {
    etag: ETag,
    'content-length': length = '',
    'content-range': ContentRange,
    'content-type': ContentType,
  } = headers
  if (status === 416) return 'InvalidRange'
  if (status === 404) return body.includes('<Code>NoSuchKey</Code>') ? 'NoSuchKey' : undefined
  if (!ETag || !/^\d{1,15}$/.test(length)) return undefined
  return { head: { ETag, ContentLength: Number(length), ContentRange, ContentType }, bytes: body }
}

/** In the order of names, as the signature wants it. */
function listingQuery({ prefix, continuationToken, startAfter }: ListOptions, maxKeys: number): string {
  const goesOn = continuationToken !== undefined
  return [
    goesOn ? `&continuation-token=${escapeUri(continuationToken)}` : '',
    `&encoding-type=url&list-type=2&max-keys=${maxKeys}&prefix=${escapeUri(prefix)}`,
    goesOn || !startAfter ? '' : `&start-after=${escapeUri(startAfter)}`,
  ].join('')
}
