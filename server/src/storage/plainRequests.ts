import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import type { ListOptions, StoredObject } from './blobStore.ts'
import { bucketAddress, escapePath, escapeUri } from './bucketAddress.ts'
import type { BucketOptions } from './bucketOptions.ts'
import { readPlainListing } from './readPlainListing.ts'
import { readStoredObject } from './readS3Answer.ts'
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
  /** True where the bucket is there and ours to ask. */
  ping(): Promise<true | undefined>
  list(options: ListOptions, maxKeys: number): Promise<ListObjectsV2CommandOutput | undefined>
  close(): void
}

const usualRestMilliseconds = 10_000
const expiresInSeconds = 300
const maxConnections = 50
const maxBodyBytes = 16 * 1024 ** 2

interface PlainAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: string
}

export function createPlainRequests(options: BucketOptions, patience: S3Patience): PlainRequests {
  const address = bucketAddress(options.endpoint, options.bucket, options.forcePathStyle)
  const presign = createQuerySigner(address, options.region, options)
  const isTls = address.origin.startsWith('https:')
  const agent = new (isTls ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: maxConnections })
  const bucketPath = address.pathPrefix || '/'
  const { answerMilliseconds, restMilliseconds = usualRestMilliseconds } = patience
  let restsUntil = 0

  async function ask(method: 'GET' | 'HEAD', path: string, query: string): Promise<PlainAnswer | undefined> {
    if (performance.now() < restsUntil) return undefined
    const checksums = method === 'HEAD' ? { 'x-amz-checksum-mode': 'ENABLED' } : {}
    const names = ['host', ...Object.keys(checksums)].join(';')
    const lines = [`host:${address.host}`, ...Object.entries(checksums).map(([name, value]) => `${name}:${value}`)]
    const canonicalHeaders = lines.map((line) => `${line}\n`).join('')
    const signed = { method, path, query, signedHeaders: names, canonicalHeaders, expiresInSeconds, now: new Date() }
    const send = isTls ? httpsRequest : httpRequest
    const answer = await new Promise<PlainAnswer | undefined>((resolve) => {
      const request = send(presign(signed), { method, agent, headers: { ...checksums, 'accept-encoding': 'identity' } })
      request.setTimeout(answerMilliseconds, () => request.destroy())
      request.on('error', () => resolve(undefined))
      request.on('response', (response) => void readWhole(response).then(resolve, () => resolve(undefined)))
      request.end()
    })
    const isPlain = answer?.status === 200 || (path !== bucketPath && answer?.status === 404)
    if (!isPlain) restsUntil = performance.now() + restMilliseconds
    return isPlain ? answer : undefined
  }

  return {
    async head(key) {
      const answer = await ask('HEAD', `${address.pathPrefix}/${escapePath(key)}`, '')
      return answer?.status === 404 ? null : answer && readHead(answer)
    },
    ping: async () => (await ask('HEAD', bucketPath, '')) && true,
    async list(page, maxKeys) {
      const answer = await ask('GET', bucketPath, listingQuery(page, maxKeys))
      return answer && readPlainListing(answer.body)
    },
    close: () => agent.destroy(),
  }
}

/** Rejects where the connection ends before the body does. */
async function readWhole(response: IncomingMessage): Promise<PlainAnswer> {
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > maxBodyBytes) throw new Error('The answer is too long')
    chunks.push(chunk)
  }
  const { statusCode: status = 0, headers } = response
  return { status, headers, body: Buffer.concat(chunks, length).toString() }
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

/** In the order of names, as the signature wants it. */
function listingQuery({ prefix, continuationToken, startAfter }: ListOptions, maxKeys: number): string {
  const goesOn = continuationToken !== undefined
  return [
    goesOn ? `&continuation-token=${escapeUri(continuationToken)}` : '',
    `&encoding-type=url&list-type=2&max-keys=${maxKeys}&prefix=${escapeUri(prefix)}`,
    goesOn || !startAfter ? '' : `&start-after=${escapeUri(startAfter)}`,
  ].join('')
}
