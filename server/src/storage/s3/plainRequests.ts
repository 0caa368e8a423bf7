import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { ListObjectsV2CommandOutput, ServerSideEncryption } from '@aws-sdk/client-s3'
import type { DatedObject, ListOptions, ReadOptions } from '../blobStore.ts'
import { bucketAddress, escapePath, escapeUri, type BucketOptions } from '../bucketAddress.ts'
import { createQuerySigner } from '../signing/sigV4Query.ts'
import { readPlainListing } from './readPlainListing.ts'
import { installationMetadata, type ObjectPart, readDatedObject } from './readS3Answer.ts'
import type { S3Patience } from './s3Client.ts'

/**
 * Requests that sweeps send by the million, without the SDK, which takes 2 ms of CPU time for a HEAD and 20 µs for each
 * object of a listing. Each returns `undefined` for anything but a successful answer. The caller then asks through the
 * SDK, which retries, corrects the clock and interprets errors.
 */
export interface PlainRequests {
  /**
   * Null if the store answers 404. A null is not proof of absence: check that the bucket exists before you act on it.
   */
  head(key: string, how: ReadOptions): Promise<DatedObject | null | undefined>
  /** Reads at most `bytesOf` bytes of the body, then drops the connection. */
  get(asked: AskedObject, bytesOf: BytesOf): Promise<ObjectAnswer | undefined>
  /** True if the bucket exists and accepts the credentials. */
  ping(): Promise<true | undefined>
  list(options: ListOptions, maxKeys: number): Promise<ListObjectsV2CommandOutput | undefined>
  close(): void
}

export interface AskedObject extends ReadOptions {
  readonly key: string
  /** `bytes=0-99`. Undefined for the whole object. */
  readonly range: string | undefined
  /** Without quotes. The answer is `PreconditionFailed` if the object has another ETag. */
  readonly etag?: string | undefined
}

/** An object, or the S3 error code that explains its absence. */
export type ObjectAnswer = ObjectPart | 'NoSuchKey' | 'InvalidRange' | 'PreconditionFailed'

/** The number of bytes to read of a body of this length. */
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
  readonly etag?: string | undefined
  readonly bytesOf?: BytesOf
  readonly onNewConnection?: boolean | undefined
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

  async function ask(question: Question): Promise<PlainAnswer | undefined> {
    if (performance.now() < restsUntil) return undefined
    const { method, path, query = '', range, etag, bytesOf, onNewConnection } = question
    const checksums = method === 'HEAD' ? { 'x-amz-checksum-mode': 'ENABLED' } : {}
    const conditions = { ...(range !== undefined && { range }), ...(etag !== undefined && { 'if-match': `"${etag}"` }) }
    const headers = { ...checksums, ...conditions, 'accept-encoding': 'identity' }
    const send = isTls ? httpsRequest : httpRequest
    const url = presign({ method, path, query, headers: checksums, expiresInSeconds, now: new Date() })
    const answer = await new Promise<PlainAnswer | undefined>((resolve) => {
      const usedAgent = onNewConnection ? false : agent
      const request = send(url, { method, agent: usedAgent, headers })
      request.setTimeout(answerMilliseconds, () => request.destroy())
      request.on('error', () => resolve(undefined))
      request.on('response', (response) => void readAnswer(response, bytesOf).then(resolve, () => resolve(undefined)))
      request.end()
    })
    const isPlain = answer !== undefined && plainStatuses(path !== bucketPath, question).includes(answer.status)
    if (!isPlain) restsUntil = performance.now() + restMilliseconds
    return isPlain ? answer : undefined
  }

  return {
    async head(key, how) {
      const answer = await ask({ method: 'HEAD', path: pathOf(key), ...how })
      return answer?.status === 404 ? null : answer && readHead(answer)
    },
    async get({ key, ...asked }, bytesOf) {
      const answer = await ask({ method: 'GET', path: pathOf(key), ...asked, bytesOf })
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

function plainStatuses(isObject: boolean, { range, etag }: Question): readonly number[] {
  if (!isObject) return [200]
  const statuses = range === undefined ? [200, 404] : [200, 206, 404, 416]
  return etag === undefined ? statuses : [...statuses, 412]
}

/** Rejects if the connection ends before the body. Leaving the loop drops the connection. */
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

function readHead({ headers }: PlainAnswer): DatedObject | undefined {
  const {
    etag,
    'content-length': length = '',
    'content-type': ContentType,
    'content-encoding': ContentEncoding,
  } = headers
  if (!etag || !/^\d{1,15}$/.test(length)) return undefined
  const header = (name: string) => headerText(headers, name)
  const writtenBy = header(`x-amz-meta-${installationMetadata}`)
  return readDatedObject({
    $metadata: {},
    ETag: etag,
    ContentLength: Number(length),
    ContentType,
    ContentEncoding,
    LastModified: new Date(header('last-modified') ?? Number.NaN),
    ...(writtenBy !== undefined && { Metadata: { [installationMetadata]: writtenBy } }),
    ChecksumSHA256: header('x-amz-checksum-sha256'),
    ChecksumType: header('x-amz-checksum-type') === 'COMPOSITE' ? 'COMPOSITE' : undefined,
  })
}

/**
 * Undefined for a response that is not from the store, which has no ETag, and for an error that does not concern the
 * key.
 */
function readObject({ status, headers, body }: PlainAnswer): ObjectAnswer | undefined {
  if (status === 416) return 'InvalidRange'
  if (status === 412) return 'PreconditionFailed'
  if (status === 404) return body.includes('<Code>NoSuchKey</Code>') ? 'NoSuchKey' : undefined
  const { etag: ETag, 'content-length': length = '', 'content-range': ContentRange } = headers
  if (!ETag || !/^\d{1,15}$/.test(length)) return undefined
  const head = {
    ETag,
    ContentLength: Number(length),
    ContentRange,
    ContentType: headers['content-type'],
    ContentEncoding: headers['content-encoding'],
    ServerSideEncryption: headerText(headers, 'x-amz-server-side-encryption') as ServerSideEncryption | undefined,
    SSECustomerAlgorithm: headerText(headers, 'x-amz-server-side-encryption-customer-algorithm'),
  }
  return { head, bytes: body }
}

const headerText = (headers: IncomingHttpHeaders, name: string): string | undefined =>
  typeof headers[name] === 'string' ? headers[name] : undefined

/** In alphabetical order, as the signature requires. */
function listingQuery({ prefix, continuationToken, startAfter }: ListOptions, maxKeys: number): string {
  const goesOn = continuationToken !== undefined
  return [
    goesOn ? `&continuation-token=${escapeUri(continuationToken)}` : '',
    `&encoding-type=url&list-type=2&max-keys=${maxKeys}&prefix=${escapeUri(prefix)}`,
    goesOn || !startAfter ? '' : `&start-after=${escapeUri(startAfter)}`,
  ].join('')
}
