import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse, OutgoingHttpHeaders } from 'node:http'
import { pipeline } from 'node:stream/promises'
import type { Bucket, Reply } from './bucket.ts'
import { answerHeaders, answerPreflight } from './bucketCors.ts'
import { idleBodyMilliseconds, lingerBytes, lingerMilliseconds } from './limits.ts'
import { routeRequest } from './routeRequest.ts'
import { S3Error } from './s3Error.ts'
import { readTarget, type S3Request } from './s3Request.ts'
import { verifySignature } from './verifySignature.ts'
import { element, errorDocument } from './xml.ts'

interface Exchange {
  readonly http: IncomingMessage
  readonly response: ServerResponse
  /** Whether the client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean
}

/** Reads a request and returns a reply, or throws an `S3Error`. */
export interface Endpoint {
  read(http: IncomingMessage, invite: () => void): S3Request
  run(request: S3Request): Promise<Reply>
}

/** The endpoint for our own processes, on loopback. It supports every implemented operation of S3. */
export const privateEndpoint = (bucket: Bucket): Endpoint => ({
  read: (http, invite) => readTarget(http, invite),
  run: (request) => runRequest(bucket, request),
})

/**
 * Answers one request and never rejects. Reports an error that is not an `S3Error` to `reportBug` and answers
 * `InternalError`.
 */
export async function answerRequest(
  bucket: Bucket,
  endpoint: Endpoint,
  exchange: Exchange,
  reportBug: (error: unknown) => void,
): Promise<void> {
  const requestId = randomBytes(8).toString('hex').toUpperCase()
  let isInvited = !exchange.expectsContinue
  const invite = () => {
    if (!isInvited) exchange.response.writeContinue()
    isInvited = true
  }
  let cors: Record<string, string> = {}
  let reply: Reply
  try {
    const request = endpoint.read(exchange.http, invite)
    cors = request.method === 'OPTIONS' ? {} : answerHeaders(request, bucket.cors)
    reply = await endpoint.run(request)
  } catch (error) {
    if (!(error instanceof S3Error) && !exchange.http.destroyed) reportBug(error)
    reply = refusal(error, exchange.http, requestId)
  }
  const headers = { ...cors, ...reply.headers, 'x-amz-request-id': requestId, 'x-content-type-options': 'nosniff' }
  await sendReply(exchange, { ...reply, headers }, isInvited)
}

export async function runRequest(bucket: Bucket, request: S3Request): Promise<Reply> {
  if (request.method === 'OPTIONS') return answerPreflight(request, bucket.cors)
  const proved = verifySignature(request, bucket.credentials, bucket.now())
  bucket.refuseIfAway()
  return routeRequest({ bucket, request, proved })
}

function refusal(error: unknown, http: IncomingMessage, requestId: string): Reply {
  const known = error instanceof S3Error ? error : new S3Error('InternalError')
  const hasNoBody = http.method === 'HEAD' || known.status === 304
  if (hasNoBody) return { status: known.status, headers: known.headers }
  const path = (http.url ?? '/').split('?', 1)[0] ?? '/'
  const body = errorDocument([
    element('Code', known.code),
    element('Message', known.message),
    ...Object.entries(known.details).map(([name, value]) => element(name, value)),
    element('Resource', path),
    element('RequestId', requestId),
  ])
  return { status: known.status, headers: known.headers, body }
}

/**
 * Writes a response. If the body of the request was not read completely, the connection cannot be reused. It is closed
 * after the rest was read, or after a limit: a client whose connection is reset while it sends never sees the response.
 */
async function sendReply({ http, response }: Exchange, reply: Reply, isInvited: boolean): Promise<void> {
  const stream = typeof reply.body === 'string' ? undefined : reply.body
  if (response.destroyed) {
    stream?.destroy()
    return
  }
  const hasBodyLeft = !http.complete && hasBody(http)
  const headers = headersOf(reply, http, hasBodyLeft)
  response.writeHead(reply.status, headers)
  if (stream) {
    response.setTimeout(idleBodyMilliseconds, () => response.destroy())
    // The client can disconnect at any time. The stream is closed in any case.
    await pipeline(stream, response).catch(() => response.destroy())
    return
  }
  if (reply.body) response.write(reply.body)
  else response.flushHeaders()
  if (hasBodyLeft && isInvited) await readLeftover(http)
  response.end()
}

function hasBody(http: IncomingMessage): boolean {
  return http.headers['transfer-encoding'] !== undefined || Number(http.headers['content-length'] ?? 0) > 0
}

function headersOf(reply: Reply, http: IncomingMessage, hasBodyLeft: boolean): OutgoingHttpHeaders {
  const headers: OutgoingHttpHeaders = { ...reply.headers }
  if (typeof reply.body === 'string') {
    headers['content-type'] = 'application/xml'
    headers['content-length'] = Buffer.byteLength(reply.body)
  } else if (reply.body === undefined && http.method !== 'HEAD' && reply.status !== 204 && reply.status !== 304) {
    headers['content-length'] = 0
  }
  if (hasBodyLeft) headers.connection = 'close'
  return headers
}

function readLeftover(http: IncomingMessage): Promise<void> {
  return new Promise((resolve) => {
    let bytes = 0
    const timer = setTimeout(resolve, lingerMilliseconds)
    const finish = () => {
      clearTimeout(timer)
      resolve()
    }
    http.on('data', (chunk: Buffer) => {
      bytes += chunk.length
      if (bytes > lingerBytes) finish()
    })
    http.once('end', finish)
    http.once('close', finish)
    http.once('error', finish)
    http.removeAllListeners('readable')
    http.resume()
  })
}
