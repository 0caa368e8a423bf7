import { Counter, Histogram, Registry } from 'prom-client'
import type { RequestTally } from '../../domain/requestTally.ts'
import type { ObservedRequest } from '../../http/logRequests.ts'
import { type BackendMetrics, backendMetrics } from './backendMetrics.ts'
import { processMetrics } from './processMetrics.ts'

/**
 * What a process measures. Every label has a bounded set of values: root fields, routes, codes and methods of our own.
 * No value comes from a client, so a client cannot make the memory grow.
 */
export interface Metrics extends BackendMetrics {
  readonly registry: Registry
  /** Records one response, and the operation in it. */
  request(request: ObservedRequest): void
}

const requestSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30]

/** Creates the metrics of this process and starts to watch its event loop. */
export function createMetrics(): Metrics {
  const registry = new Registry()
  processMetrics(registry)
  return { registry, ...httpMetrics(registry), ...backendMetrics(registry) }
}

function httpMetrics(register: Registry): Pick<Metrics, 'request'> {
  const registers = [register]
  const requests = new Counter({
    name: 'filegraph_http_requests_total',
    help: 'Responses by route and status.',
    labelNames: ['method', 'route', 'status'] as const,
    registers,
  })
  const requestTime = new Histogram({
    name: 'filegraph_http_request_seconds',
    help: 'Time from the request headers to the end of the response.',
    labelNames: ['route'] as const,
    buckets: requestSeconds,
    registers,
  })
  const operations = new Counter({
    name: 'filegraph_operations_total',
    help: 'GraphQL operations by root field and outcome.',
    labelNames: ['operation', 'outcome'] as const,
    registers,
  })
  const operationTime = new Histogram({
    name: 'filegraph_operation_seconds',
    help: 'Time of GraphQL operations by root field.',
    labelNames: ['operation'] as const,
    buckets: requestSeconds,
    registers,
  })
  const errors = new Counter({
    name: 'filegraph_errors_total',
    help: 'Errors and refusals by code, those in a result union included.',
    labelNames: ['code'] as const,
    registers,
  })
  return {
    request({ method, route, status, elapsedMs, tally }) {
      requests.inc({ method, route, status })
      requestTime.observe({ route }, elapsedMs / 1000)
      if (tally) for (const code of tally.codes) errors.inc({ code })
      if (!tally || !route.startsWith('/graphql')) return
      const operation = tally.rootField ?? 'none'
      operations.inc({ operation, outcome: outcomeOf(tally.codes) })
      operationTime.observe({ operation }, elapsedMs / 1000)
    },
  }
}

function outcomeOf(codes: RequestTally['codes']): 'ok' | 'refused' | 'unavailable' | 'failed' {
  if (codes.has('INTERNAL_SERVER_ERROR')) return 'failed'
  if (codes.has('SERVICE_UNAVAILABLE')) return 'unavailable'
  return codes.size > 0 ? 'refused' : 'ok'
}
