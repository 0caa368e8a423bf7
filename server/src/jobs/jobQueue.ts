import type { EventEmitter } from 'node:events'
import { type JobHelpers, Logger as QueueLogger, type RunnerOptions, runMigrations } from 'graphile-worker'
import pg from 'pg'
import type { Logger } from 'pino'

/** The schema that the job queue keeps its own tables in; no tenant's data goes there. */
export const jobSchema = 'graphile_worker'

/** Any constant that no other user of the database is likely to lock. */
const jobMigrationLock = 4_951_023_018

/**
 * Brings the tables of the job queue up to date. Safe when any number of processes call it at once: the queue's own
 * migrations are not when its schema is missing, so one works and the others wait.
 */
export async function migrateJobQueue(address: QueueAddress, logger: Logger): Promise<void> {
  const pool = openJobPool(address, 2, logger)
  try {
    const holder = await pool.connect()
    try {
      await holder.query('select pg_advisory_lock($1)', [jobMigrationLock])
      await runMigrations({ ...queueOptions(pool, logger), concurrency: 1 })
    } finally {
      // Closed and not kept, so that the lock goes with its session.
      holder.release(true)
    }
  } finally {
    await pool.end()
  }
}

/** The queue's database, in the words of its driver. */
export interface QueueAddress extends pg.PoolConfig {
  /** The server for the next connection. After a failover it is another one. */
  findServer(): Promise<{ readonly host: string; readonly port: number; readonly ssl: false | object }>
}

/** The driver connects to one fixed host. This client asks for the host each time. */
class QueueClient extends pg.Client {
  readonly #findServer: QueueAddress['findServer']

  constructor(address: QueueAddress) {
    super(address)
    this.#findServer = address.findServer
  }

  override connect(): Promise<pg.Client>
  override connect(onConnected: (error: Error) => void): void
  override connect(onConnected?: (error: Error) => void): Promise<pg.Client> | void {
    const found = this.#findServer().then(({ host, port, ssl }) => {
      Object.assign(this, { host, port, ssl })
      // The driver reads `ssl` here too, which its types do not declare.
      Object.assign((this as unknown as { connection: object }).connection, { ssl })
    })
    if (!onConnected) return found.then(() => super.connect())
    found.then(() => super.connect(onConnected), onConnected)
  }
}

export type JobPool = pg.Pool

/** Between two statements. A connection can lead to a server that is no longer the right one. */
const maxLifetimeSeconds = 30 * 60

/** SQLSTATE 25006: the server became a standby. The next connection leads to another one. */
function endOnStandby(client: pg.PoolClient): void {
  const { connection } = client as unknown as { connection: EventEmitter }
  connection.on('errorMessage', ({ code }: { readonly code?: string }) => {
    if (code === '25006') void (client as unknown as pg.Client).end()
  })
}

/**
 * Connections for the job queue. It would open them by itself, but drops them without waiting for their end: a
 * database that is stopped right afterwards then breaks a connection that nobody listens to, and the process with it.
 */
export function openJobPool(address: QueueAddress, size: number, logger: Logger): JobPool {
  const pool = new pg.Pool({
    ...address,
    max: size,
    maxLifetimeSeconds,
    // Declared without the options that the pool passes.
    Client: QueueClient as unknown as NonNullable<pg.PoolConfig['Client']>,
  })
  const onError = (error: Error) => logger.warn({ err: error }, 'A connection of the job queue broke')
  pool.on('error', onError)
  pool.on('connect', (client) => {
    client.on('error', onError)
    endOnStandby(client)
  })
  return pool
}

export const queueOptions = (pgPool: JobPool, logger: Logger) =>
  ({
    pgPool,
    schema: jobSchema,
    logger: queueLogger(logger),
    // Noted in batches, even of one: else the queue does not look whether noting the end of a job failed, and a database
    // that is down in that moment ends the process.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  }) satisfies RunnerOptions

/** The part of the queue's helpers that a job uses. */
type Queue = Pick<JobHelpers, 'addJobs'>

/**
 * Queues one job for each tenant, in one statement. A job that already waits keeps its place. `busy_tenants` leaves out tenants
 * whose job is running.
 */
export async function enqueueForTenants(queue: Queue, job: string, tenantIds: readonly string[]): Promise<void> {
  if (tenantIds.length === 0) return
  const specs = tenantIds.map((tenantId) => ({
    identifier: job,
    payload: { tenantId },
    jobKey: `due:${job}:${tenantId}`,
    maxAttempts: 1,
  }))
  await queue.addJobs(specs, true)
}

/** What the queue calls information is detail to an operator: a healthy worker says nothing. */
function queueLogger(logger: Logger): QueueLogger {
  const levels = { error: 'error', warning: 'warn', info: 'debug', debug: 'trace' } as const
  return new QueueLogger((scope) => (level, message, meta) => {
    const error = errorIn(meta ?? {})
    logger[levels[level]]({ job: scope.taskIdentifier, ...(error && { err: error }) }, inWords(message, error))
  })
}

/** The queue passes it as `error` or `fatalError`. It need not be an Error. */
function errorIn(meta: Readonly<Record<string, unknown>>): Error | undefined {
  const thrown = meta['error'] ?? meta['fatalError']
  if (thrown === undefined || thrown === null || thrown instanceof Error) return thrown ?? undefined
  return new Error(typeof thrown === 'object' ? wordsOf(thrown) : String(thrown))
}

const wordsOf = (thrown: object): string =>
  'message' in thrown && typeof thrown.message === 'string' ? thrown.message : JSON.stringify(thrown)

/** The queue converts what was thrown to text. For an object that is `[object Object]`. */
const inWords = (message: string, error: Error | undefined): string =>
  message.replaceAll('[object Object]', error?.message ?? 'an unknown error')
