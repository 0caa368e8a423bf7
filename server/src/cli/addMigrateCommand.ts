import type { Command } from 'commander'
import { migrateEverything } from '../migrateEverything.ts'
import { naming, variablesOf } from '../partFailed.ts'
import { examples } from './examples.ts'
import type { Terminal } from './terminal.ts'
import { quietLogger } from './quietLogger.ts'
import { withParts } from './withParts.ts'

export function addMigrateCommand(program: Command, terminal: Terminal): void {
  program
    .command('migrate')
    .description('Bring the database up to date. Safe to repeat, and from several machines at once.')
    .addHelpText('after', '\nNeeds a login that may create tables and roles: DATABASE_MIGRATION_URL, or DATABASE_URL.')
    .addHelpText('after', examples('migrate'))
    .action(() =>
      withParts(terminal, async ({ addresses, config }) => {
        await naming(variablesOf(config).migration, () => migrateEverything(addresses, quietLogger))
        terminal.print('The database is up to date.\n')
      }),
    )
}
