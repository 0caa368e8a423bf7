import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Logger } from 'pino'
import type { Config } from '../config/config.ts'
import { createApollo } from '../graphql/engine/createApollo.ts'
import { contextFor } from '../graphql/requestContext.ts'
import { createHttpServer, type HttpServerOptions } from '../http/createHttpServer.ts'
import type { ClientBucket } from './clientBucket.ts'
import type { Closing, StopSignals } from './closing.ts'
import { portProblem } from './listeningPort.ts'
import type { Backends } from './openBackends.ts'

export interface RunningApi {
  /** False if the console was not built. Only the API is served then. */
  readonly hasConsole: boolean
  /** Serves as before, but `/readyz` answers 503 and each connection ends with its next response. */
  drain(): void
  /** Stops accepting requests and lets those in flight finish, for at most 10 s. */
  close(): Promise<void>
}

export type ApiPatience = Pick<HttpServerOptions<never>, 'requestMs' | 'closeWithinMs'>

const consoleDirectory = fileURLToPath(new URL('../../../console/dist', import.meta.url))

/** Serves the API, the console and the local bucket. Rejects with `PortUnusable` if it cannot listen on the port. */
export async function startApi(
  backends: Backends,
  config: Config,
  bucket: ClientBucket,
  patience: ApiPatience = {},
): Promise<RunningApi> {
  const logger = backends.logger.child({ process: 'api' })
  const apollo = createApollo({ introspection: config.graphql.introspection, logger })
  await apollo.start()
  let isDraining = false
  const app = createHttpServer({
    ...backends,
    ...bucket,
    ...patience,
    config,
    logger,
    apollo,
    contextFor,
    consoleDirectory,
    isDraining: () => isDraining,
    onRequest: backends.metrics?.request,
  })
  const { host, port } = config.http
  try {
    await app.listen({ host, port })
  } catch (error) {
    await apollo.stop()
    throw portProblem(error, config.http)
  }
  return {
    hasConsole: existsSync(join(consoleDirectory, 'index.html')),
    drain() {
      isDraining = true
    },
    async close() {
      await app.close()
      await apollo.stop()
    },
  }
}

interface Leaving {
  readonly closing: Closing
  readonly signals: StopSignals
  readonly drainSeconds: number
  readonly logger: Logger
}

/**
 * Registers the API with `closing`. After SIGTERM, which supervisors send, a proxy gets the time to stop sending
 * requests, and to close the connections that it keeps. Other signals come from a person at a terminal.
 */
export function closeAfterDraining(api: RunningApi, { closing, signals, drainSeconds, logger }: Leaving): void {
  closing.add('api', () => api.close())
  closing.add('drain', async () => {
    if (signals.asked !== 'SIGTERM' || drainSeconds === 0) return
    api.drain()
    logger.info({ seconds: drainSeconds }, 'Draining')
    await closing.pause(drainSeconds * 1000)
  })
}
