import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { pathOf, requestIdOf } from './logRequests.ts'
import { bucketHeaders } from './securityHeaders.ts'

/** The local bucket, served on the port of the API. Null: the bucket is elsewhere. */
export interface BucketDoor {
  isFor(http: IncomingMessage): boolean
  /** Never rejects. Headers that are already set on the response are sent too. */
  answer(http: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void>
}

export interface ServerSettings {
  readonly bucketDoor: BucketDoor | null
  readonly logger: Logger
  /** How long a client may take to send a request, after its head. Does not apply to the bucket. */
  readonly requestMs: number
}

const headersTimeout = 10_000
const keepAliveTimeout = 72_000
const maxHeaderSize = 16 * 1024

/**
 * Opens the HTTP server that Fastify listens with. Requests for the bucket never reach Fastify: no hook, cookie, body
 * parser or limit of the API applies to them, and their bytes stream for as long as the client keeps sending.
 */
export function openServer(answerApi: RequestListener, settings: ServerSettings): Server {
  const { bucketDoor, requestMs } = settings
  // Node's own bound on the time of a request holds for every request of a server, long uploads included.
  const options = {
    headersTimeout,
    keepAliveTimeout,
    maxHeaderSize,
    requestTimeout: 0,
    connectionsCheckingInterval: 5_000,
  }
  const server = createServer(options, (http, response) => answer(http, response, false))
  server.on('checkContinue', (http: IncomingMessage, response: ServerResponse) => answer(http, response, true))

  function answer(http: IncomingMessage, response: ServerResponse, expectsContinue: boolean): void {
    if (bucketDoor?.isFor(http))
      return void answerBucket(server, { ...settings, bucketDoor }, { http, response, expectsContinue })
    if (expectsContinue) response.writeContinue()
    boundReceiving(http, response, requestMs)
    answerApi(http, response)
  }
  return server
}

/** RFC 9110, section 15.5.9: the server gives up on a client that does not finish its request. */
function boundReceiving(http: IncomingMessage, response: ServerResponse, milliseconds: number): void {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = http.headers
  if (Number(length) === 0 && encoding === undefined) return
  const timer = setTimeout(() => {
    // It has arrived, and waits to be read.
    if (http.complete) return
    if (!response.headersSent) http.socket.write('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n')
    http.socket.destroySoon()
  }, milliseconds).unref()
  http.once('end', () => clearTimeout(timer))
  http.once('close', () => clearTimeout(timer))
}

async function answerBucket(
  server: Server,
  { bucketDoor, logger }: ServerSettings & { readonly bucketDoor: BucketDoor },
  exchange: { readonly http: IncomingMessage; readonly response: ServerResponse; readonly expectsContinue: boolean },
): Promise<void> {
  const { http, response, expectsContinue } = exchange
  const began = performance.now()
  const requestId = requestIdOf(http)
  for (const [name, value] of Object.entries(bucketHeaders)) response.setHeader(name, value)
  response.setHeader('x-request-id', requestId)
  const isClosing = () => !server.listening
  if (isClosing()) response.setHeader('connection', 'close')
  response.once('close', () => {
    const milliseconds = Math.round(performance.now() - began)
    const facts = { requestId, method: http.method, path: pathOf({ url: http.url ?? '/' }).slice(0, 500) }
    if (response.writableFinished) logger.info({ ...facts, status: response.statusCode, milliseconds }, 'Request')
    else logger.info(facts, 'Request aborted by its client')
    // A connection that was busy when the server was closed would be kept for a next request.
    if (isClosing()) setImmediate(() => server.closeIdleConnections())
  })
  await bucketDoor.answer(http, response, expectsContinue)
}
