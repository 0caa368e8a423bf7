import { randomBytes } from 'node:crypto'
import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Bucket, Reply } from './bucket.ts'
import { answerHeaders, answerPreflight } from './preflight.ts'
import { routeRequest } from './routeRequest.ts'
import { S3Error } from './s3Error.ts'
import { readTarget, type S3Request } from './s3Request.ts'
import { sendReply } from './sendReply.ts'
import { verifySignature } from './verifySignature.ts'
import { element, errorDocument } from './xml.ts'

export interface Exchange {
  readonly http: IncomingMessage
  readonly response: ServerResponse
  /** Whether the client waits for `100 Continue` before it sends the body. */
  readonly expectsContinue: boolean
}

/** Reads a request and answers it, or throws an `S3Error`. */
export interface Endpoint {
  read(http: IncomingMessage, invite: () => void): S3Request
  run(request: S3Request): Promise<Reply>
}

/** What our own processes talk to, on loopback: all of S3 that the bucket knows. */
export const privateEndpoint = (bucket: Bucket): Endpoint => ({
  read: (http, invite) => readTarget(http, invite),
  run: (request) => runRequest(bucket, request),
})

/** Answers one request, whatever happens. An error that is not an `S3Error` goes to `reportBug`, and out as `InternalError`. */
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
