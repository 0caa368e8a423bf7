import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import type { Logger } from 'pino'
import { type ObservedRequest, pathOf, requestIdOf } from './logRequests.ts'
import { bucketHeaders } from './securityHeaders.ts'

/** Serves the local bucket on the port of the API. Null if the bucket is external. */
export interface BucketDoor {
  isFor(http: IncomingMessage): boolean
  /** Never rejects. Also sends headers that are already set on the response. */
  answer(http: IncomingMessage, response: ServerResponse, expectsContinue: boolean): Promise<void>
}

export interface ServerSettings {
  readonly bucketDoor: BucketDoor | null
  readonly logger: Logger
  /** How long a client may take to send the rest of a request after its headers. Does not apply to the bucket. */
  readonly requestMs: number
  /** True while connections must end with their next response, although the server listens. */
  readonly isDraining: () => boolean
  readonly onRequest?: ((request: ObservedRequest) => void) | undefined
}

const headersTimeout = 10_000
const keepAliveTimeout = 72_000
const maxHeaderSize = 16 * 1024

/**
 * Opens the HTTP server that Fastify uses. Requests to the bucket never reach Fastify. No hook, cookie, body parser or
 * limit of the API applies to them, and their bytes stream for as long as the client sends.
 */
export function openServer(answerApi: RequestListener, settings: ServerSettings): Server {
  const { bucketDoor, requestMs } = settings
  // Node's request timeout applies to all requests of a server, long uploads included.
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

/** Closes the connection if the client does not finish its request in time (RFC 9110, section 15.5.9). */
function boundReceiving(http: IncomingMessage, response: ServerResponse, milliseconds: number): void {
  const { 'content-length': length = '0', 'transfer-encoding': encoding } = http.headers
  if (Number(length) === 0 && encoding === undefined) return
  const timer = setTimeout(() => {
    // The request has arrived and is waiting to be read.
    if (http.complete) return
    if (!response.headersSent) http.socket.write('HTTP/1.1 408 Request Timeout\r\nconnection: close\r\n\r\n')
    http.socket.destroySoon()
  }, milliseconds).unref()
  http.once('end', () => clearTimeout(timer))
  http.once('close', () => clearTimeout(timer))
}

async function answerBucket(
  server: Server,
  { bucketDoor, logger, isDraining, onRequest }: ServerSettings & { readonly bucketDoor: BucketDoor },
  exchange: { readonly http: IncomingMessage; readonly response: ServerResponse; readonly expectsContinue: boolean },
): Promise<void> {
  const { http, response, expectsContinue } = exchange
  const began = performance.now()
  const requestId = requestIdOf(http)
  for (const [name, value] of Object.entries(bucketHeaders)) response.setHeader(name, value)
  response.setHeader('x-request-id', requestId)
  const isClosing = () => !server.listening
  if (isClosing() || isDraining()) response.setHeader('connection', 'close')
  response.once('close', () => {
    const elapsedMs = performance.now() - began
    const milliseconds = Math.round(elapsedMs)
    onRequest?.({ method: http.method ?? '', route: '/bucket', status: response.statusCode, elapsedMs, tally: null })
    const facts = { requestId, method: http.method, path: pathOf({ url: http.url ?? '/' }).slice(0, 500) }
    if (response.writableFinished) logger.info({ ...facts, status: response.statusCode, milliseconds }, 'Request')
    else logger.info(facts, 'Request aborted by its client')
    // A connection that was busy when the server closed would otherwise be kept alive.
    if (isClosing()) setImmediate(() => server.closeIdleConnections())
  })
  await bucketDoor.answer(http, response, expectsContinue)
}
