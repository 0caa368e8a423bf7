import type { Command } from 'commander'
import { browserOrigins } from '../run/addresses.ts'
import { type Check, ok, printChecks } from './doctor/check.ts'
import { inspectBucket, inspectOwner } from './doctor/inspectBucket.ts'
import { inspectConnections, inspectDatabase } from './doctor/inspectDatabase.ts'
import { examples, CommandFailed, printJson, type Terminal } from './terminal.ts'
import { type CommandParts, withParts } from './withBackends.ts'

interface DoctorOptions {
  readonly json?: true
}

export function addDoctorCommand(program: Command, terminal: Terminal): void {
  program
    .command('doctor')
    .description('Check the configuration, the database and the bucket, and say how to fix each problem.')
    .option('--json', 'print an array of JSON objects')
    .addHelpText('after', '\nTries the bucket with small objects of its own, and removes them.')
    .addHelpText('after', '\nThe exit code is 1 when something that Filegraph needs is missing.')
    .addHelpText('after', examples('doctor', 'doctor --json'))
    .action((options: DoctorOptions) =>
      withParts(terminal, async (parts) => {
        const checks = await examine(parts)
        if (options.json) printJson(terminal, checks)
        else printChecks(terminal, checks)
        const lacking = checks.filter(({ state }) => state === 'missing').length
        if (lacking > 0) throw new CommandFailed(`${lacking} of ${checks.length} checks found something missing.`)
      }),
    )
}

/** Checks that must succeed before the owner of the bucket can be read. */
const neededByOwner: ReadonlySet<string> = new Set([
  'database',
  'role',
  'migrations',
  'connection of the application',
  'bucket: reachable',
  'bucket: credentials accepted',
])

async function examine({ addresses, config }: CommandParts): Promise<Check[]> {
  const [database, connections, bucket] = await Promise.all([
    inspectDatabase(addresses),
    inspectConnections(addresses),
    inspectBucket(addresses.bucket, browserOrigins(config)),
  ])
  // Runs even if other checks failed: a stop of all deletes must always be reported.
  const isAsked = [...database, ...connections, ...bucket].every(
    ({ name, state }) => state !== 'missing' || !neededByOwner.has(name),
  )
  const owner = isAsked ? await inspectOwner({ addresses, config }) : []
  return [...inspectConfiguration(config.warnings), ...database, ...connections, ...bucket, ...owner]
}

function inspectConfiguration(warnings: readonly string[]): Check[] {
  if (warnings.length === 0) return [ok('configuration', 'Every variable is understood')]
  return warnings.map((detail) => ({ name: 'configuration', state: 'warning', detail }))
}
