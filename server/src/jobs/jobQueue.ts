import { Logger as QueueLogger, type RunnerOptions, runMigrations } from 'graphile-worker'
import type { Logger } from 'pino'
import postgres from 'postgres'

/** The schema that the job queue keeps its own tables in; no tenant's data goes there. */
export const jobSchema = 'graphile_worker'

/** Any constant that no other user of the database is likely to lock. */
const jobMigrationLock = 4_951_023_018

/**
 * Brings the tables of the job queue up to date. Safe when any number of processes call it at once: the queue's own
 * migrations are not when its schema is missing, so one works and the others wait.
 */
export async function migrateJobQueue(url: string, logger: Logger): Promise<void> {
  const client = postgres(url, { max: 1, onnotice: () => undefined, connect_timeout: 10 })
  try {
    await client`select pg_advisory_lock(${jobMigrationLock})`
    await runMigrations({ ...queueOptions(url, logger), maxPoolSize: 1, concurrency: 1 })
  } finally {
    await client.end({ timeout: 5 })
  }
}

export const queueOptions = (url: string, logger: Logger) =>
  ({ connectionString: url, schema: jobSchema, logger: queueLogger(logger) }) satisfies RunnerOptions

/** What the queue calls information is detail to an operator: a healthy worker says nothing. */
function queueLogger(logger: Logger): QueueLogger {
  const levels = { error: 'error', warning: 'warn', info: 'debug', debug: 'trace' } as const
  return new QueueLogger((scope) => (level, message, meta) => {
    const error = meta?.['error']
    logger[levels[level]]({ job: scope.taskIdentifier, ...(error instanceof Error && { err: error }) }, message)
  })
}
