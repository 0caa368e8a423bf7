import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Logger } from 'pino'
import type { Config } from '../../config/config.ts'
import type { Closing } from '../closing.ts'
import { portProblem } from '../listeningPort.ts'
import { createMetrics, type Metrics } from './metrics.ts'

/**
 * Serves `/metrics` on a port of its own, which a proxy does not forward. Null if no port is configured: then nothing is
 * measured. Rejects with `PortUnusable`.
 */
export async function serveMetrics(config: Config, closing: Closing, logger: Logger): Promise<Metrics | null> {
  if (config.metricsPort === null) return null
  const metrics = createMetrics()
  const server = createServer((request, response) => void answer(metrics, request, response))
  const place = { host: config.http.host, port: config.metricsPort }
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error) => reject(portProblem(error, place, 'METRICS_PORT')))
    server.listen(place, resolve)
  })
  closing.add('metrics', () => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  logger.info({ port }, 'Metrics are served')
  return metrics
}

async function answer({ registry }: Metrics, request: IncomingMessage, response: ServerResponse): Promise<void> {
  if (request.method !== 'GET' || request.url?.split('?', 1)[0] !== '/metrics') {
    response.writeHead(404).end()
    return
  }
  try {
    const text = await registry.metrics()
    response.writeHead(200, { 'content-type': registry.contentType }).end(text)
  } catch {
    response.writeHead(500).end()
  }
}
