import { setTimeout as sleep } from 'node:timers/promises'
import { sentenceFor } from '../cli/sentenceFor.ts'
import { CommandFailed, type Terminal } from '../cli/terminal.ts'
import { notMigrated } from '../cli/withBackends.ts'
import { type Config, readConfig } from '../config/config.ts'
import { watchBucket } from '../domain/installation/watchBucket.ts'
import { addressesBeside, shownUrl } from './addresses.ts'
import { closeAfterDraining, startApi } from './api.ts'
import { externalClientBucket } from './clientBucket.ts'
import { Closing, listenForStop, type StopSignals } from './closing.ts'
import { withUsablePort } from './listeningPort.ts'
import { serveMetrics } from './metrics/serveMetrics.ts'
import { standardLogger } from './openLog.ts'
import { naming, variablesOf } from './partFailed.ts'
import { pendingMigrations } from './readiness.ts'
import { type Addresses, openBackends, type Backends } from './openBackends.ts'
import { startWorker } from './worker.ts'

/**
 * Runs only the API, until a signal. It also listens while the database is down, so that `/healthz` and `/readyz`
 * answer. It logs that it is up after the application has opened a connection.
 */
export const runApi = (terminal: Terminal): Promise<void> =>
  runUntilStopped(terminal, 'api', async (backends, { config, addresses, closing, signals }) => {
    await watch(backends, closing)
    const api = await startApi(backends, config, externalClientBucket(backends.blobs, addresses.bucket))
    const { drainSeconds } = config
    closeAfterDraining(api, { closing, signals, drainSeconds, logger: backends.logger })
    const waiting = new AbortController()
    closing.add('wait for the database', async () => waiting.abort())
    const { port } = config.http
    const url = shownUrl(config.http)
    void untilReachable(backends, config, waiting.signal).then((isReachable) => {
      if (isReachable) backends.logger.info({ url, port }, 'The API is up')
    })
  })

const pauseMs = 2_000

/** Waits for the database. Warns once per reason, not per attempt. Returns false if the process was told to stop. */
async function untilReachable({ database, logger }: Backends, config: Config, signal: AbortSignal): Promise<boolean> {
  for (let told = ''; !signal.aborted; await sleep(pauseMs, undefined, { signal }).catch(() => undefined)) {
    try {
      const pending = await naming(variablesOf(config).database, () => pendingMigrations(database))
      if (pending === 0) return true
      throw new CommandFailed(notMigrated)
    } catch (error) {
      const reason = sentenceFor(error)
      const url = shownUrl(config.http)
      if (reason !== told) logger.warn({ url }, `The API listens and cannot do its work yet. ${reason}`)
      told = reason
    }
  }
  return false
}

/** Runs only the jobs, until a signal. */
export const runWorker = (terminal: Terminal): Promise<void> =>
  runUntilStopped(terminal, 'worker', async (backends, { config, closing }) => {
    const variables = variablesOf(config)
    const pending = await naming(variables.database, () => pendingMigrations(backends.database))
    if (pending > 0) throw new CommandFailed(notMigrated)
    await watch(backends, closing)
    const worker = await naming(variables.queue, () => startWorker(backends))
    closing.add('worker', () => worker.stop())
    backends.logger.info('The worker is up')
  })

interface Process {
  readonly config: Config
  readonly addresses: Addresses
  readonly closing: Closing
  readonly signals: StopSignals
}

async function watch(backends: Backends, closing: Closing): Promise<void> {
  const watched = await watchBucket(backends, sentenceFor)
  closing.add('bucket watch', async () => watched.stop())
}

async function runUntilStopped(
  terminal: Terminal,
  name: string,
  open: (backends: Backends, process: Process) => Promise<void>,
): Promise<void> {
  const asked = readConfig(terminal.env)
  const addresses = addressesBeside(asked, null, null)
  if (!addresses) throw new CommandFailed(`The command ${name} needs DATABASE_URL and S3_*; "start" runs everything.`)
  const config = name === 'api' ? await withUsablePort(asked) : asked
  const logger = standardLogger(config.logLevel)
  for (const warning of config.warnings) logger.warn(warning)
  const closing = new Closing(logger)
  const signals = listenForStop(() => closing.hurry())
  try {
    const metrics = await serveMetrics(config, closing, logger)
    const poolSize = config.databasePoolSize
    const backends = openBackends({
      ...addresses,
      logger,
      poolSize,
      cleanup: config.cleanup,
      applicationName: `filegraph ${name}`,
      metrics,
    })
    closing.add('backends', () => backends.close())
    await open(backends, { config, addresses, closing, signals })
    await signals.stopped
    logger.info('Stopping')
  } finally {
    await closing.closeAll()
    signals.ignore()
  }
}
