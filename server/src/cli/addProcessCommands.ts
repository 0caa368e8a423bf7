import type { Command } from 'commander'
import { examples } from './examples.ts'
import type { Terminal } from './terminal.ts'

// Loaded when they run: the other commands need no web server, and answer sooner without.
const loadStart = () => import('../start.ts')
const loadAlone = () => import('../process/runAlone.ts')

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
