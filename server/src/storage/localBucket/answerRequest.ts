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

/** Answers one request, whatever happens. What is not a refusal of ours goes to `reportBug` and out as `InternalError`. */
export async function answerRequest(
  bucket: Bucket,
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
    const request = readTarget(exchange.http, invite)
    cors = request.method === 'OPTIONS' ? {} : answerHeaders(request, bucket.cors)
    reply = await runRequest(bucket, request)
  } catch (error) {
    if (!(error instanceof S3Error) && !exchange.http.destroyed) reportBug(error)
    reply = refusal(error, exchange.http, requestId)
  }
  const headers = { ...cors, ...reply.headers, 'x-amz-request-id': requestId, 'x-content-type-options': 'nosniff' }
  await sendReply(exchange, { ...reply, headers }, isInvited)
}

async function runRequest(bucket: Bucket, request: S3Request): Promise<Reply> {
  if (request.method === 'OPTIONS') return answerPreflight(request, bucket.cors)
  const proved = verifySignature(request, bucket.credentials, bucket.now())
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
