import { naming, variablesOf } from '../partFailed.ts'
import { pendingMigrations } from '../readiness.ts'
import { openServices, type Services } from '../services.ts'
import { quietLogger } from './quietLogger.ts'
import { CommandFailed, type Terminal } from './terminal.ts'
import { type CommandParts, withParts } from './withParts.ts'

export const notMigrated = 'The database is not up to date. Run: npm run -s filegraph -- migrate'

/** Runs a command on the services, wherever they are; see `withParts`. Refuses a database that is not up to date. */
export function withServices<T>(
  terminal: Terminal,
  work: (services: Services, parts: CommandParts) => Promise<T>,
): Promise<T> {
  return withParts(terminal, async (parts) => {
    const { addresses, config } = parts
    const services = openServices({
      ...addresses,
      logger: quietLogger,
      poolSize: 2,
      cleanup: config.cleanup,
      applicationName: 'filegraph command',
    })
    try {
      const { database } = variablesOf(config)
      const pending = await naming(database, () => pendingMigrations(services.database))
      if (pending > 0) throw new CommandFailed(notMigrated)
      return await work(services, parts)
    } finally {
      await services.close()
    }
  })
}
