import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'

/**
 * Logs one line per request when its response was sent or its client disconnected. The query string is never logged.
 */
export function logRequests(app: FastifyInstance, logger: Logger): void {
  app.addHook('onResponse', async (request, reply) => {
    logger.info(
      { ...factsOf(request), status: reply.statusCode, milliseconds: Math.round(reply.elapsedTime) },
      'Request',
    )
  })
  app.addHook('onRequestAbort', async (request) => {
    logger.info(factsOf(request), 'Request aborted by its client')
  })
}

export const factsOf = (request: FastifyRequest) => ({
  requestId: request.id,
  method: request.method,
  path: pathOf(request).slice(0, 500),
  principalId: request.caller?.principal.id,
  tenantId: request.caller?.principal.tenantId,
})

export const pathOf = (request: Pick<FastifyRequest, 'url'>): string => request.url.split(/[?#]/, 1)[0] ?? ''

/**
 * Returns the id from the caller or a proxy if it is safe in a header and in a log line. Otherwise returns a new one.
 */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID()
}
