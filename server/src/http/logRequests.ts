import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import type { RequestTally } from '../domain/requestTally.ts'

/** A request with its response, for the metrics. */
export interface ObservedRequest {
  readonly method: string
  /** The pattern of the route, not the path of the request. `other` if no route matched. */
  readonly route: string
  readonly status: number
  readonly elapsedMs: number
  /** Null for the local bucket. */
  readonly tally: RequestTally | null
}

const probes = new Set(['/healthz', '/readyz'])

/**
 * Logs one line per request when its response was sent or its client disconnected. The query string is never logged.
 * Health probes come every second and are logged at the level `debug`.
 */
export function logRequests(
  app: FastifyInstance,
  logger: Logger,
  onRequest?: (request: ObservedRequest) => void,
): void {
  app.addHook('onResponse', async (request, reply) => {
    const { method, tally } = request
    const { statusCode: status, elapsedTime: elapsedMs } = reply
    const route = request.routeOptions.url ?? 'other'
    onRequest?.({ method, route, status, elapsedMs, tally })
    const line = { ...factsOf(request), ...workOf(tally), status, milliseconds: Math.round(elapsedMs) }
    if (probes.has(route)) logger.debug(line, 'Request')
    else logger.info(line, 'Request')
  })
  app.addHook('onRequestAbort', async (request) => {
    logger.info(factsOf(request), 'Request aborted by its client')
  })
}

export const factsOf = (request: FastifyRequest) => ({
  requestId: request.id,
  method: request.method,
  path: pathOf(request).slice(0, 500),
  principalKind: request.caller?.principal.kind,
  principalId: request.caller?.principal.id,
  tenantId: request.caller?.principal.tenantId,
})

const workOf = ({ operationName, rootField, codes, databaseMs }: RequestTally) => ({
  operation: operationName?.slice(0, 100),
  field: rootField ?? undefined,
  codes: codes.size > 0 ? [...codes] : undefined,
  databaseMilliseconds: databaseMs > 0 ? Math.round(databaseMs) : undefined,
})

export const pathOf = (request: Pick<FastifyRequest, 'url'>): string => request.url.split(/[?#]/, 1)[0] ?? ''

/**
 * Returns the id from the caller or a proxy if it is safe in a header and in a log line. Otherwise returns a new one.
 */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID()
}
