import { sentenceFor } from '../cli/sentenceFor.ts'
import { CommandFailed, type Terminal } from '../cli/terminal.ts'
import { type Config, readConfig } from '../config/config.ts'
import { readRefusal, watchBucket } from '../domain/installation/watchBucket.ts'
import { type DataDirectory, openDataDirectory } from '../embedded/folder/dataDirectory.ts'
import { networkUrls, shownUrl } from './addresses.ts'
import { closeAfterDraining, startApi } from './api.ts'
import { externalClientBucket, localClientBucket } from './clientBucket.ts'
import { Closing, StopAsked, type StopSignals, listenForStop } from './closing.ts'
import { demoPassword, demoTenants, lastMember } from './demo/demoPeople.ts'
import { seedDemo } from './demo/seedDemo.ts'
import { withUsablePort } from './listeningPort.ts'
import { serveMetrics } from './metrics/serveMetrics.ts'
import { migrateEverything } from './migrateEverything.ts'
import { openBackends } from './openBackends.ts'
import { type Log, openFileLog } from './openLog.ts'
import { openParts } from './openParts.ts'
import { naming, variablesOf } from './partFailed.ts'
import { pendingMigrations } from './readiness.ts'
import { startWorker } from './worker.ts'

interface Starting {
  readonly config: Config
  readonly directory: DataDirectory
  readonly log: Log
  readonly closing: Closing
  readonly signals: StopSignals
}

/**
 * Runs everything in one process tree until a signal: the embedded parts, then the migrations, the demo, the API and
 * the worker. Stops all of them in the opposite order, also after a failure.
 */
export async function start(terminal: Terminal): Promise<void> {
  const asked = readConfig(terminal.env)
  const directory = await openDataDirectory(asked.dataDirectory)
  const log = openFileLog(asked.dataDirectory, asked.logLevel)
  const closing = new Closing(log.logger)
  closing.add('folder', () => directory.release())
  const signals = listenForStop(() => closing.hurry())
  try {
    const config = await withUsablePort(asked)
    terminal.print(await bringUp({ config, directory, log, closing, signals }))
    await signals.stopped
    terminal.print('  Stopping.\n')
  } catch (error) {
    if (!(error instanceof StopAsked)) throw error
  } finally {
    await closing.closeAll()
    signals.ignore()
  }
  if (closing.isHurried) throw new CommandFailed('Stopped without waiting for what was under way.')
}

/** Returns the text to print after the start. */
async function bringUp({ config, directory, log, closing, signals }: Starting): Promise<string> {
  const { logger } = log
  const { addresses, ports, places, bucketDoor } = await openParts(config, directory, closing, logger)
  signals.throwIfAsked()
  const variables = variablesOf(config)
  await naming(variables.migration, () => migrateEverything(addresses, logger))
  signals.throwIfAsked()
  const applicationName = 'filegraph'
  const { databasePoolSize: poolSize, cleanup } = config
  const metrics = await serveMetrics(config, closing, logger)
  const backends = openBackends({ ...addresses, logger, poolSize, cleanup, applicationName, metrics })
  closing.add('backends', () => backends.close())
  // Report the application as running only after it has reached its parts through its own login.
  await naming(variables.database, () => pendingMigrations(backends.database))
  await naming(variables.bucket, () => backends.blobs.ping())
  // Before the first upload, which the demo sends.
  const watch = await watchBucket(backends, sentenceFor)
  closing.add('bucket watch', async () => watch.stop())
  signals.throwIfAsked()
  const hasDemo = config.seedDemo && (await seedDemo(backends))
  signals.throwIfAsked()
  const worker = await naming(variables.queue, () => startWorker(backends))
  closing.add('worker', () => worker.stop())
  const { blobs } = backends
  const clientBucket = bucketDoor
    ? localClientBucket(blobs, { bucket: addresses.bucket, door: bucketDoor, publicUrl: config.http.publicUrl })
    : externalClientBucket(blobs, addresses.bucket)
  const api = await startApi(backends, config, clientBucket)
  closeAfterDraining(api, { closing, signals, drainSeconds: config.drainSeconds, logger })
  signals.throwIfAsked()
  const url = shownUrl(config.http)
  directory.writeInstance({ pid: process.pid, url, ...ports })
  logger.info({ url, pid: process.pid }, 'Started')
  const { hasConsole } = api
  const refusal = await readRefusal(backends)
  const hasGraphiql = hasConsole && config.graphql.graphiql
  return startBlock({
    url,
    networkUrls: networkUrls(config.http),
    hasConsole,
    hasGraphiql,
    hasDemo,
    ...places,
    logs: log.place,
    warnings: [...config.warnings, ...(refusal ? [refusalWarning(refusal.message)] : [])],
  })
}

const refusalWarning = (message: string) =>
  `Nothing is deleted from the bucket. ${message} Run: npm run -s filegraph -- accept-bucket`

export interface Started {
  /** Without a trailing slash. */
  readonly url: string
  /** Further URLs, for people on other machines. */
  readonly networkUrls: readonly string[]
  readonly hasConsole: boolean
  readonly hasGraphiql: boolean
  readonly hasDemo: boolean
  /** The locations of the data, as ends of sentences. */
  readonly database: string
  readonly files: string
  readonly logs: string
  readonly warnings: readonly string[]
}

/**
 * Returns the text that `start` prints when everything is up: the URLs, the sign-in, the data folders, and how to stop.
 */
export function startBlock(started: Started): string {
  const { url, networkUrls: furtherUrls, hasConsole, hasGraphiql, hasDemo, database, files, logs, warnings } = started
  const rows: (readonly [string, string])[] = [
    ...(hasConsole ? [['Console', url] as const] : []),
    ['GraphQL', `${url}/graphql`],
    ...(hasGraphiql ? [['GraphiQL', `${url}/graphiql`] as const] : []),
    ...furtherUrls.map((address) => ['Network', address] as const),
    ['Database', database],
    ['Files', files],
    ['Logs', logs],
  ]
  const blocks = [
    `  Filegraph is running.`,
    rows.map(([label, value]) => `  ${label.padEnd(10)}${value}`).join('\n'),
    ...(hasDemo ? [demoSignIns()] : []),
    ...warnings.map((warning) => `  Warning: ${warning}`),
    '  Stop it with Ctrl+C.',
  ]
  return `\n${blocks.join('\n\n')}\n\n`
}

function demoSignIns(): string {
  const people = demoTenants.flatMap(({ name, members }) => members.map((member) => ({ ...member, tenant: name })))
  const lines = people.map(({ email, role, tenant }) => {
    const also = email === lastMember.email ? ` (and ${lastMember.role} of ${tenantName(lastMember.tenantSlug)})` : ''
    return `    ${email.padEnd(22)}${role.padEnd(8)}${tenant}${also}`
  })
  return [`  Sign in to the demo with the password ${demoPassword} as`, ...lines].join('\n')
}

const tenantName = (slug: string) => demoTenants.find((tenant) => tenant.slug === slug)?.name ?? slug
