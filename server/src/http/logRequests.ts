import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'

/** One line per request, when its answer has been sent or its client has gone. Never the query string. */
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
