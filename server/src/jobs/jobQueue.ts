import { Logger as QueueLogger, type RunnerOptions, runMigrations } from 'graphile-worker'
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

/** Where the queue's database is, in the words of its driver. */
export interface QueueAddress {
  readonly host: string
  readonly port: number
  readonly database: string
  readonly user: string
  readonly password: string
  readonly ssl: false | object
  readonly options?: string
}

export type JobPool = pg.Pool

/**
 * Connections for the job queue. It would open them by itself, but drops them without waiting for their end: a
 * database that is stopped right afterwards then breaks a connection that nobody listens to, and the process with it.
 */
export function openJobPool(address: QueueAddress, size: number, logger: Logger): JobPool {
  const pool = new pg.Pool({ ...address, max: size, connectionTimeoutMillis: 10_000 })
  const onError = (error: Error) => logger.warn({ err: error }, 'A connection of the job queue broke')
  pool.on('error', onError)
  pool.on('connect', (client) => client.on('error', onError))
  return pool
}

export const queueOptions = (pgPool: JobPool, logger: Logger) =>
  ({
    pgPool,
    schema: jobSchema,
    logger: queueLogger(logger),
    // Noted in batches, even of one: else the queue does not look whether noting the end of a job failed, and a database
    // that is away in that moment ends the process.
    preset: { worker: { completeJobBatchDelay: 0, failJobBatchDelay: 0 } },
  }) satisfies RunnerOptions

/** What the queue calls information is detail to an operator: a healthy worker says nothing. */
function queueLogger(logger: Logger): QueueLogger {
  const levels = { error: 'error', warning: 'warn', info: 'debug', debug: 'trace' } as const
  return new QueueLogger((scope) => (level, message, meta) => {
    const error = meta?.['error']
    logger[levels[level]]({ job: scope.taskIdentifier, ...(error instanceof Error && { err: error }) }, message)
  })
}
