import { Readable } from 'node:stream'
import { constants } from 'node:zlib'
import { type ApolloServer, type BaseContext, HeaderMap } from '@apollo/server'
import fastifyCompress from '@fastify/compress'
import type { FastifyCompressOptions } from '@fastify/compress'
import { fastifyCors } from '@fastify/cors'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../domain/context.ts'
import { limits } from '../domain/limits.ts'
import { BadInput, RateLimited } from '../domain/refusals.ts'
import type { RequestTally } from '../domain/requestTally.ts'
import type { RateLimiter } from './rateLimiter.ts'
import { readOperations } from './readOperations.ts'

export interface GraphqlRouteOptions<C extends BaseContext> {
  /** Started. */
  readonly apollo: ApolloServer<C>
  readonly contextFor: (caller: Context | null, tally: RequestTally) => C
  readonly authenticateRequest: (request: FastifyRequest) => Promise<Context | null>
  readonly limiter: RateLimiter
  readonly now: () => Date
  readonly allowedOrigins: readonly string[]
}

/**
 * `/graphql`, after the GraphQL over HTTP specification. Credentials that are not accepted end the request before its
 * body is read; without any, the operation runs for nobody.
 */
export function addGraphqlRoutes<C extends BaseContext>(app: FastifyInstance, options: GraphqlRouteOptions<C>): void {
  const { authenticateRequest, limiter, now } = options
  app.register(
    async (scope) => {
      // CORS is registered first, so that a page of another site can read the reason of a refusal.
      await scope.register(fastifyCors, corsRules(options.allowedOrigins))
      await scope.register(fastifyCompress, compression)
      scope.addHook('onRequest', async (request, reply) => {
        reply.header('cache-control', 'no-store')
        request.caller = await authenticateRequest(request)
      })
      readOperations(scope)
      scope.addHook('preHandler', async (request) => {
        const seconds = limiter.take(whoAsks(request), operationsIn(request.body), now().getTime())
        if (seconds !== null) throw new RateLimited(seconds)
        if (textOf(request.body).length > limits.documentCharacters)
          throw new BadInput('The operation asks for too much.')
      })
      scope.route({
        method: ['GET', 'POST'],
        url: '/',
        exposeHeadRoute: false,
        handler: (request, reply) => runOperation(options, request, reply),
      })
      scope.route({
        method: ['PUT', 'PATCH', 'DELETE', 'HEAD'],
        url: '/',
        handler: async (_, reply) => {
          reply.header('allow', 'GET, POST')
          throw Object.assign(new Error('Method not allowed'), { statusCode: 405 })
        },
      })
    },
    { prefix: '/graphql' },
  )
}

async function runOperation<C extends BaseContext>(
  { apollo, contextFor }: GraphqlRouteOptions<C>,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { status, headers, body } = await apollo.executeHTTPGraphQLRequest({
    httpGraphQLRequest: {
      method: request.method,
      headers: headersOf(request),
      search: searchOf(request.url),
      body: request.body,
    },
    context: async () => contextFor(request.caller, request.tally),
  })
  await request.proof?.settle()
  for (const [name, value] of headers) reply.header(name, value)
  reply.code(status ?? 200).header('cache-control', 'no-store')
  return reply.send(body.kind === 'complete' ? body.string : Readable.from(body.asyncIterator))
}

/**
 * Compresses responses above 1 kB. Brotli level 4 takes about as long as sending the response over a fast line; the
 * highest level takes a hundred times longer.
 *
 * A response holds signed URLs beside input of the caller, which is the precondition of a BREACH attack. No other site
 * can send a request that returns them: it has neither the token nor, by SameSite, the cookie.
 */
const compression: FastifyCompressOptions = {
  threshold: 1024,
  encodings: ['br', 'gzip'],
  // The default window of 4 MiB is allocated for each response. Few responses exceed this window of 256 KiB.
  brotliOptions: { params: { [constants.BROTLI_PARAM_QUALITY]: 4, [constants.BROTLI_PARAM_LGWIN]: 18 } },
  zlibOptions: { level: 4 },
  // A compressed body can expand to any size.
  globalDecompression: false,
}

/** Pages of other sites authenticate with a bearer token. The cookie is never available to them. */
const corsRules = (allowedOrigins: readonly string[]) => ({
  origin: [...allowedOrigins],
  credentials: false,
  methods: ['GET', 'POST'],
  allowedHeaders: [
    'authorization',
    'content-type',
    'x-filegraph-tenant',
    'x-filegraph-csrf',
    'x-request-id',
    'apollo-require-preflight',
    'graphql-require-preflight',
    'x-apollo-operation-name',
    'apollographql-client-name',
    'apollographql-client-version',
    // Tracing: https://www.w3.org/TR/trace-context/, https://www.w3.org/TR/baggage/
    'traceparent',
    'tracestate',
    'baggage',
    'sentry-trace',
  ],
  exposedHeaders: ['x-request-id', 'retry-after'],
  maxAge: 600,
  strictPreflight: false,
})

const textOf = (body: unknown): string => {
  const query = typeof body === 'object' && body !== null && 'query' in body ? body.query : ''
  return typeof query === 'string' ? query : ''
}

const whoAsks = ({ caller, ip }: FastifyRequest) =>
  caller ? `${caller.principal.tenantId}/${caller.principal.id}` : `address/${ip}`

/** A batch is refused later, but each of its operations counts. */
const operationsIn = (body: unknown) => (Array.isArray(body) ? Math.max(1, body.length) : 1)

function headersOf(request: FastifyRequest): HeaderMap {
  const headers = new HeaderMap()
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(', ') : value)
  }
  return headers
}

function searchOf(url: string): string {
  const start = url.indexOf('?')
  return start < 0 ? '' : url.slice(start)
}
