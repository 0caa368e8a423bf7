import { Agent as HttpAgent, type IncomingHttpHeaders, type IncomingMessage, request as httpRequest } from 'node:http'
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https'
import { setTimeout as pause } from 'node:timers/promises'
import { bucketAddress, type BucketOptions, escapePath } from '../bucketAddress.ts'
import { createQuerySigner } from '../signing/sigV4Query.ts'
import type { S3Patience } from './s3Client.ts'

/** A request that changes nothing, so that it can be repeated. */
export interface Question {
  readonly method: 'GET' | 'HEAD'
  /** The key of an object, or null for the bucket itself. */
  readonly key: string | null
  /** Parameters in alphabetical order, each after a `&`, as the signature requires. */
  readonly query?: string
  /** Request headers that are not signed. */
  readonly headers?: Readonly<Record<string, string>>
  /** Does not use an open connection. */
  readonly onNewConnection?: boolean | undefined
  readonly bytesOf?: BytesOf
  /** The body can be megabytes long. The whole answer gets twice the time. */
  readonly isLong?: boolean
}

/** The number of bytes to read of a body of this length. Then the connection is closed. */
export type BytesOf = (length: number) => number

/** A response with any status. */
export interface StoreAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  readonly body: Buffer
}

export interface StoreRequests {
  /**
   * Repeats a request that failed on the network, that was answered with 429 or 5xx, or that was refused because of a
   * wrong clock. Resolves with the last answer. Rejects if none came, or if the time for the whole answer is over: a
   * caller waits neither for a free connection nor for a body that comes byte by byte.
   */
  ask(question: Question): Promise<StoreAnswer>
  close(): void
}

const usualWholeMilliseconds = 15_000
/** Stores accept a clock that is 15 minutes off. */
const expiresInSeconds = 900
const maxConnections = 50
const maxBodyBytes = 16 * 1024 ** 2
const maxErrorBytes = 65_536
/** S3 refuses a request that is signed 15 minutes away from its own time. The SDK corrects its clock from here on, too. */
const toleratedSkewMilliseconds = 4 * 60_000
const firstPauseMilliseconds = 100

/**
 * Signs and sends requests that read. Sweeps send them by the million: the SDK takes five times as much processor time
 * for each.
 */
export function createStoreRequests(options: BucketOptions, patience: S3Patience): StoreRequests {
  const address = bucketAddress(options.endpoint, options.bucket, options.forcePathStyle)
  const presign = createQuerySigner(address, options.region, options)
  const isTls = address.origin.startsWith('https:')
  const agent = new (isTls ? HttpsAgent : HttpAgent)({ keepAlive: true, maxSockets: maxConnections })
  const send = isTls ? httpsRequest : httpRequest
  const { wholeMilliseconds = usualWholeMilliseconds } = patience
  /** What to add to our clock for the time of the store. */
  let skew = 0

  function askOnce(question: Question, deadline: number): Promise<StoreAnswer> {
    const { method, key, query = '', onNewConnection, bytesOf } = question
    const path = key === null ? address.pathPrefix || '/' : `${address.pathPrefix}/${escapePath(key)}`
    const signed: Record<string, string> = method === 'HEAD' && key !== null ? { 'x-amz-checksum-mode': 'ENABLED' } : {}
    const now = new Date(Date.now() + skew)
    const url = presign({ method, path, query, headers: signed, expiresInSeconds, now })
    const headers = { ...signed, ...question.headers, 'accept-encoding': 'identity' }
    return new Promise((resolve, reject) => {
      const request = send(url, { method, headers, agent: onNewConnection ? false : agent })
      const giveUp = (what: string) => request.destroy(new Error(`The store ${what} in time`))
      const whole = setTimeout(giveUp, Math.max(0, deadline - performance.now()), 'did not finish')
      const answering = setTimeout(giveUp, patience.answerMilliseconds, 'did not answer')
      request.setTimeout(patience.answerMilliseconds, () => giveUp('did not go on'))
      request.on('socket', (socket) => {
        if (!socket.connecting) return
        const connecting = setTimeout(giveUp, patience.connectMilliseconds, 'took no connection')
        for (const end of ['connect', 'close']) socket.once(end, () => clearTimeout(connecting))
      })
      request.on('response', (response) => {
        clearTimeout(answering)
        readAnswer(response, bytesOf).then(resolve, reject)
      })
      request.on('error', reject)
      request.on('close', () => [answering, whole].forEach(clearTimeout))
      request.end()
    })
  }

  /** True if the store refused the time of the request. Later requests are signed with its time. */
  function correctClock({ status, headers }: StoreAnswer): boolean {
    const off = Date.parse(headers.date ?? '') - Date.now() - skew
    if (status !== 403 || !(Math.abs(off) > toleratedSkewMilliseconds)) return false
    skew += off
    return true
  }

  return {
    async ask(question) {
      const deadline = performance.now() + wholeMilliseconds * (question.isLong ? 2 : 1)
      for (let attempt = 1; ; attempt += 1) {
        const isLast = () => attempt >= patience.attempts || performance.now() >= deadline
        const answer = await askOnce(question, deadline).catch((error: unknown) => {
          if (isLast()) throw error
          return null
        })
        if (answer && (isLast() || !(isTransient(answer.status) || correctClock(answer)))) return answer
        await pause(Math.random() * firstPauseMilliseconds * 2 ** attempt)
      }
    },
    close: () => agent.destroy(),
  }
}

const isTransient = (status: number): boolean => status === 429 || (status >= 500 && status !== 501)

/** Rejects if the connection ends before the body. Leaving the loop drops the connection. */
async function readAnswer(response: IncomingMessage, bytesOf: BytesOf | undefined): Promise<StoreAnswer> {
  const { statusCode: status = 0, headers } = response
  const limitOf = status < 300 ? bytesOf : () => maxErrorBytes
  const maxBytes = limitOf?.(Number(headers['content-length'] ?? Infinity)) ?? maxBodyBytes
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of response as AsyncIterable<Buffer>) {
    chunks.push(chunk)
    length += chunk.length
    if (length > maxBytes && !limitOf) throw new Error('The answer is too long')
    if (length > maxBytes) break
  }
  return { status, headers, body: Buffer.concat(chunks, Math.min(length, maxBytes)) }
}
