import type { ApolloServer, BaseContext } from '@apollo/server'
import { fastifyCookie } from '@fastify/cookie'
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import type { Context } from '../domain/context.ts'
import { CheckedKeys, type KeyProof } from '../domain/identity/authenticate/apiKey.ts'
import { authenticate, type IdentityServices } from '../domain/identity/authenticate/authenticate.ts'
import { KeyUse } from '../domain/identity/authenticate/keyUse.ts'
import { createTokenVerifier } from '../domain/identity/authenticate/token.ts'
import { limits } from '../domain/limits.ts'
import { newTally, type RequestTally } from '../domain/requestTally.ts'
import { TallyDatabase } from '../domain/tallyDatabase.ts'
import { withoutUnsafe } from '../domain/text.ts'
import { addConsoleRoutes } from './consoleRoutes.ts'
import { refuseForgedRequest } from './crossSite.ts'
import { answerError } from './errorAnswer.ts'
import { addGraphqlRoutes } from './graphqlRoutes.ts'
import { addHealthRoutes, type Readiness } from './healthRoutes.ts'
import { logRequests, type ObservedRequest, requestIdOf } from './logRequests.ts'
import { type BucketDoor, openServer } from './openServer.ts'
import { addressOf, basePathOf, withoutBasePath } from './ownAddress.ts'
import { RateLimiter } from './rateLimiter.ts'
import { securityHeaders, sendSecurityHeaders, type SetHeaders } from './securityHeaders.ts'
import { SessionCookie, addSessionRoutes } from './sessionRoutes.ts'

declare module 'fastify' {
  interface FastifyRequest {
    /** Set after the credentials of a request to /graphql are checked. Null for an anonymous request. */
    caller: Context | null
    /** The proof that must succeed before a response is sent to the caller. Null if there is none. */
    proof: KeyProof | null
    readonly tally: RequestTally
  }
}

export interface HttpServerOptions<C extends BaseContext> extends Pick<Context, 'database' | 'now'> {
  readonly config: Pick<Config, 'http' | 'jwt' | 'session' | 'graphql' | 'rateLimit'>
  readonly logger: Logger
  /** Must be started. */
  readonly apollo: ApolloServer<C>
  readonly contextFor: (caller: Context | null, tally: RequestTally) => C
  /** An absolute path to the built console. Can be missing. */
  readonly consoleDirectory: string
  /** Returns a bucket whose signed URLs work for a client that reached the API at this address. */
  readonly blobsFor: (address: string) => Context['blobs']
  /** Origins other than that of the page to which browsers send and from which they fetch bytes. */
  readonly bucketOrigins: readonly string[]
  /** Null if the bucket is external. */
  readonly bucketDoor: BucketDoor | null
  readonly readiness: () => Promise<Readiness>
  /** True once the process has been told to stop. It still serves, and asks for no more requests. Default: never. */
  readonly isDraining?: () => boolean
  /** Called after each response. */
  readonly onRequest?: ((request: ObservedRequest) => void) | undefined
  /** How long `close()` waits for requests in flight. Default: 10 s. */
  readonly closeWithinMs?: number
  /** How long a client may take to send the rest of a request after its headers. Default: 30 s. */
  readonly requestMs?: number
}

/** How long requests in flight may take to finish after the server closed. */
export const closeWithinMs = 10_000

const never = () => false

/** Creates the HTTP server without listening. Call `await app.listen({ host, port })` and `await app.close()`. */
export function createHttpServer<C extends BaseContext>(options: HttpServerOptions<C>): FastifyInstance {
  const { config, logger, bucketOrigins } = options
  const sites = config.http
  const setHeaders = securityHeaders({ publicUrl: sites.publicUrl, bucketOrigins })
  const app = openFastify(options, setHeaders)
  const cookie = new SessionCookie(sites.publicUrl)
  app.decorateRequest('caller', null)
  app.decorateRequest('proof', null)
  const tallies = new WeakMap<object, RequestTally>()
  // A getter, because one more hook would cost each request a promise.
  app.decorateRequest('tally', {
    getter() {
      const tally = tallies.get(this) ?? newTally()
      tallies.set(this, tally)
      return tally
    },
  })
  app.register(fastifyCookie)
  app.setErrorHandler((error, request, reply) => answerError(logger, error, request, reply))
  logRequests(app, logger, options.onRequest)
  sendSecurityHeaders(app, setHeaders, sites.publicUrl)
  boundClosing(app, options.closeWithinMs ?? closeWithinMs, options.isDraining ?? never)
  addGraphqlRoutes(app, {
    ...options,
    authenticateRequest: requestAuthentication(app, options, cookie),
    limiter: new RateLimiter(config.rateLimit.operationsPerMinute),
    allowedOrigins: sites.allowedOrigins,
  })
  const deviceCookie = new SessionCookie(sites.publicUrl, 'device')
  addSessionRoutes(app, { services: { ...options, ...config.session }, sites, cookie, deviceCookie })
  addHealthRoutes(app, options.readiness, options.isDraining ?? never)
  addConsoleRoutes(app, {
    directory: options.consoleDirectory,
    graphiql: config.graphql.graphiql,
    bucketOrigins,
    basePath: basePathOf(sites.publicUrl),
  })
  return app
}

function openFastify<C extends BaseContext>(
  { config, logger, bucketDoor, requestMs = 30_000, isDraining = never, onRequest }: HttpServerOptions<C>,
  setHeaders: SetHeaders,
): FastifyInstance {
  const basePath = basePathOf(config.http.publicUrl)
  return fastify({
    serverFactory: (answerApi) => openServer(answerApi, { bucketDoor, logger, requestMs, isDraining, onRequest }),
    rewriteUrl: ({ url = '/' }) => withoutBasePath(url, basePath),
    // Fastify's own log lines contain query strings. `logRequests` and `answerError` log instead.
    logger: false,
    bodyLimit: limits.bodyBytes,
    // Trust only the nearest proxy: what it received about earlier hops can be forged.
    trustProxy: config.http.trustProxy && ((_, hop) => hop === 0),
    requestIdHeader: false,
    genReqId: requestIdOf,
    return503OnClosing: false,
    // A URL that cannot be decoded never reaches a hook.
    frameworkErrors: (error, request, reply) => {
      setHeaders(request.raw, reply.raw)
      reply.header('x-request-id', request.id)
      answerError(logger, Object.assign(error, { statusCode: 400 }), request, reply)
    },
  })
}

function requestAuthentication<C extends BaseContext>(
  app: FastifyInstance,
  { config, database, blobsFor, now, logger }: HttpServerOptions<C>,
  cookie: SessionCookie,
) {
  const keyUse = new KeyUse(database, now, (error) => logger.warn({ err: error }, 'The use of a key was not noted'))
  app.addHook('onClose', () => keyUse.settled())
  const tokens = config.jwt && { verifyToken: createTokenVerifier(config.jwt), claims: config.jwt.claims }
  const services: Omit<IdentityServices, 'database'> = { now, keyUse, checkedKeys: new CheckedKeys(), tokens }
  return async (request: FastifyRequest): Promise<Context | null> => {
    const authorization = request.headers.authorization ?? null
    const sessionToken = cookie.read(request)
    if (authorization === null && sessionToken !== null) refuseForgedRequest(request, config.http)
    const tenant = request.headers['x-filegraph-tenant']
    const tenantSlug = tenant === undefined ? null : String(tenant)
    const timed = new TallyDatabase(database, request.tally)
    const caller = await authenticate({ ...services, database: timed }, { authorization, sessionToken, tenantSlug })
    if (!caller) return null
    request.proof = caller.proof
    const userAgent = withoutUnsafe(request.headers['user-agent'] ?? '') || null
    const origin = { requestId: request.id, address: request.ip, userAgent }
    const blobs = blobsFor(addressOf(request, config.http.publicUrl))
    return { principal: caller.principal, origin, database: caller.proof?.database ?? timed, blobs, now }
  }
}

/**
 * Makes `close()` graceful. The server accepts no new request. Requests in flight get a response and close their
 * connection. Connections that remain after `milliseconds` are closed.
 *
 * While it drains, responses close their connection too: then no connection is idle when the server closes, and no proxy
 * sends a request on a connection that is being closed.
 */
function boundClosing(app: FastifyInstance, milliseconds: number, isDraining: () => boolean): void {
  let isClosing = false
  app.addHook('preClose', async () => {
    isClosing = true
    const timer = setTimeout(() => app.server.closeAllConnections(), milliseconds)
    app.server.once('close', () => clearTimeout(timer))
    if (!app.server.listening) clearTimeout(timer)
  })
  app.addHook('onSend', async (_, reply) => {
    if (isClosing || isDraining()) reply.header('connection', 'close')
  })
}
