import type { Command } from 'commander'
import { migrateEverything } from '../run/migrateEverything.ts'
import { naming, variablesOf } from '../run/partFailed.ts'
import { examples, type Terminal, quietLogger } from './terminal.ts'
import { withParts } from './withBackends.ts'

// Imported when a command runs, so that commands without an HTTP server start faster.
const loadStart = () => import('../run/start.ts')
const loadAlone = () => import('../run/runAlone.ts')

export function addProcessCommands(program: Command, terminal: Terminal): void {
  program
    .command('start')
    .description('Run everything here: database, bucket, API, worker and console.')
    .addHelpText('after', '\nA part that DATABASE_URL or S3_ENDPOINT places elsewhere is not started.')
    .addHelpText('after', '\nLogs go to logs/filegraph.log in the data folder, as JSON lines.')
    .addHelpText('after', examples('start'))
    .action(async () => (await loadStart()).start(terminal))
  program
    .command('api')
    .description('Run the API and the console alone, on a database and a bucket that are elsewhere.')
    .addHelpText('after', '\nNeeds DATABASE_URL and S3_*. Logs go to standard output, as JSON lines.')
    .addHelpText('after', examples('api'))
    .action(async () => (await loadAlone()).runApi(terminal))
  program
    .command('worker')
    .description('Run the jobs alone, on a database and a bucket that are elsewhere.')
    .addHelpText('after', '\nNeeds DATABASE_URL and S3_*. Logs go to standard output, as JSON lines.')
    .addHelpText('after', examples('worker'))
    .action(async () => (await loadAlone()).runWorker(terminal))
}

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
