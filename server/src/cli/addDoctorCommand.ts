import type { Command } from 'commander'
import { judgeBucket } from '../domain/installation/bucketMarker.ts'
import { readStrays } from '../domain/sweeps/strays/strayRecords.ts'
import { browserOrigins } from '../run/addresses.ts'
import { type Backends, openBackends } from '../run/openBackends.ts'
import type { BucketOptions } from '../storage/bucketAddress.ts'
import type { BucketFinding } from '../storage/s3/bucketProbe.ts'
import { probeBucket } from '../storage/s3/probeBucket.ts'
import { type Check, missing, ok, printChecks, warning } from './doctor/check.ts'
import { inspectConnections, inspectDatabase } from './doctor/inspectDatabase.ts'
import { sentenceFor } from './sentenceFor.ts'
import { CommandFailed, type Terminal, examples, printJson, quietLogger } from './terminal.ts'
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

/** Findings that Filegraph or its console needs. It can work without the others. */
const needed = /^(reachable|credentials accepted|conditional upload|objects can be deleted|browser uploads from .*)$/

/** Tests the features of the bucket that Filegraph relies on. */
export async function inspectBucket(options: BucketOptions, origins: readonly string[]): Promise<Check[]> {
  return (await probeBucket(options, origins)).map(checkOf)
}

function checkOf({ behaviour, ok: holds, detail, advice }: BucketFinding): Check {
  const state = holds === true ? 'ok' : needed.test(behaviour) ? 'missing' : 'warning'
  return { name: `bucket: ${behaviour}`, state, detail, ...(advice !== undefined && { remedy: advice }) }
}

const name = 'deletes'
const remedy = 'Run: npm run -s filegraph -- accept-bucket'

/** Checks whether this database owns the bucket, so that sweeps may delete. Changes nothing in the bucket. */
export async function inspectOwner({ addresses, config }: CommandParts): Promise<Check[]> {
  const { cleanup } = config
  const applicationName = 'filegraph doctor'
  const backends = openBackends({ ...addresses, logger: quietLogger, poolSize: 1, cleanup, applicationName })
  try {
    const { doubt, newest } = await judgeBucket(backends)
    const owner =
      doubt === null
        ? ok(name, newest ? 'The bucket is the one of this database' : 'The bucket is not marked yet')
        : missing(name, `Nothing is deleted from the bucket. ${doubt.sentence}`, remedy)
    return [owner, await inspectStrays(backends)]
  } catch (error) {
    return [missing(name, `Nothing is deleted from the bucket. ${sentenceFor(error)}`, remedy)]
  } finally {
    await backends.close()
  }
}

/** Reports what the last search for strays found. Reads only the database. */
async function inspectStrays({ database }: Backends): Promise<Check> {
  const what = 'objects of no tenant'
  const { ofTenants, others, oldest, lastRunAt } = await readStrays(database)
  const beside = others === null ? '' : `; ${others.prefixes} prefixes are not of Filegraph, and are left alone`
  if (ofTenants === null || oldest === null) {
    return ok(what, lastRunAt ? `None were found at ${lastRunAt.toISOString()}${beside}` : 'Not searched for yet')
  }
  const { prefixes, objectCount, byteSize } = ofTenants
  const detail = `${objectCount} objects (${byteSize} bytes) under ${prefixes} prefixes, such as ${oldest.prefix} since ${oldest.firstSeenAt.toISOString()}${beside}`
  return warning(what, detail, 'Run: npm run -s filegraph -- sweep strays --dry-run')
}
