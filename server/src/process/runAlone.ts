import { startApi } from '../api.ts'
import { standardLogger } from './openLog.ts'
import { CommandFailed, type Terminal } from '../cli/terminal.ts'
import { Closing } from './closing.ts'
import { type Config, readConfig } from '../config.ts'
import { withUsablePort } from './listeningPort.ts'
import { addressesBeside } from '../addresses.ts'
import { pendingMigrations } from '../readiness.ts'
import { openServices, type Services } from '../services.ts'
import { listenForStop } from './stopSignals.ts'
import { startWorker } from '../worker.ts'

/** The API alone, until a signal. It starts without its database too, and is ready when that comes. */
export const runApi = (terminal: Terminal): Promise<void> =>
  runUntilStopped(terminal, 'api', async (services, config, closing) => {
    const api = await startApi(services, config)
    closing.add('api', () => api.close())
    services.logger.info({ url: config.http.publicUrl, port: config.http.port }, 'The API is up')
  })

/** The jobs alone, until a signal. */
export const runWorker = (terminal: Terminal): Promise<void> =>
  runUntilStopped(terminal, 'worker', async (services, _config, closing) => {
    if ((await pendingMigrations(services.database)) > 0) {
      throw new CommandFailed('The database is not up to date. Run: npm run -s filegraph -- migrate')
    }
    const worker = await startWorker(services)
    closing.add('worker', () => worker.stop())
    services.logger.info('The worker is up')
  })

async function runUntilStopped(
  terminal: Terminal,
  name: string,
  open: (services: Services, config: Config, closing: Closing) => Promise<void>,
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
    const poolSize = config.databasePoolSize
    const services = openServices({
      ...addresses,
      logger,
      poolSize,
      cleanup: config.cleanup,
      applicationName: `filegraph ${name}`,
    })
    closing.add('services', () => services.close())
    await open(services, config, closing)
    await signals.stopped
    logger.info('Stopping')
  } finally {
    await closing.closeAll()
    signals.ignore()
  }
}
