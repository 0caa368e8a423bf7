import { EventEmitter } from 'node:events'
import { parseCronItems, run, type Runner, type WorkerEvents } from 'graphile-worker'
import type { Logger } from 'pino'
import { queueDriverOptions, readDatabaseAddress } from '../database/databaseAddress.ts'
import { isId } from '../domain/ids.ts'
import { type JobPool, openJobPool, queueOptions } from '../jobs/jobQueue.ts'
import { type Job, type JobContext, schedule } from '../jobs/schedule.ts'
import type { Backends } from './openBackends.ts'

export interface RunningWorker {
  /** Lets running jobs finish, for at most 5 s. */
  stop(): Promise<void>
}

const concurrentJobs = 2
const restartDelayMs = 2_000
const failuresUntilRestart = 4

/**
 * Runs the jobs of `schedule` and all queued jobs. Rejects if the queue's database cannot be reached at the start.
 * Later it reconnects by itself.
 */
export async function startWorker(backends: Backends, jobs: readonly Job[] = schedule): Promise<RunningWorker> {
  const logger = backends.logger.child({ process: 'worker' })
  const address = await queueDriverOptions(readDatabaseAddress(backends.ownerUrl))
  const pool = openJobPool(address, concurrentJobs + 2, logger)
  const start = () => startRunner(backends, pool, logger, jobs)
  let runner: Runner | null = null
  let timer: NodeJS.Timeout | undefined
  let stopping = false

  const comeBack = () => {
    runner = null
    if (stopping) return
    timer = setTimeout(() => {
      start().then(watch, (error: unknown) => {
        logger.warn({ err: error }, 'The worker could not start again')
        comeBack()
      })
    }, restartDelayMs)
  }
  const watch = (started: Runner): void => {
    runner = started
    if (stopping) void started.stop()
    else started.promise.then(comeBack, comeBack)
  }
  try {
    watch(await start())
  } catch (error) {
    await pool.end()
    throw error
  }
  return {
    async stop() {
      stopping = true
      clearTimeout(timer)
      await runner?.stop().catch((error: unknown) => logger.warn({ err: error }, 'The worker had already stopped'))
      await pool.end()
    },
  }
}

async function startRunner(backends: Backends, pool: JobPool, logger: Logger, jobs: readonly Job[]): Promise<Runner> {
  const { database, blobs, now, cleanup } = backends
  const ctx: JobContext = { database, blobs, now, cleanup, logger }
  const events: WorkerEvents = new EventEmitter()
  const runner = await run({
    ...queueOptions(pool, logger),
    events,
    concurrency: concurrentJobs,
    noHandleSignals: true,
    taskList: Object.fromEntries(jobs.map((job) => [job.name, (payload) => job.run(ctx, tenantIdIn(payload))])),
    // Missed and failed runs are not repeated: the next run does their work.
    parsedCronItems: parseCronItems(
      jobs.map(({ name, cadence }) => ({
        task: name,
        match: cadence,
        identifier: name,
        options: { backfillPeriod: 0, maxAttempts: 1, jobKey: name },
      })),
    ),
  })
  stopWhenStuck(runner, events)
  return runner
}

/** The tenant of a job that a change in one tenant queued. Undefined for a job of the schedule. */
function tenantIdIn(payload: unknown): string | undefined {
  const { tenantId } = (payload ?? {}) as { readonly tenantId?: unknown }
  return typeof tenantId === 'string' && isId(tenantId) ? tenantId : undefined
}

/** The queue caches a failed first look-up permanently and then finds no job until it is restarted. */
function stopWhenStuck(runner: Runner, events: WorkerEvents): void {
  let failures = 0
  const works = () => (failures = 0)
  events.on('worker:getJob:empty', works)
  events.on('job:start', works)
  events.on('worker:getJob:error', () => {
    failures += 1
    if (failures === failuresUntilRestart) runner.stop('no job could be looked up').catch(() => undefined)
  })
}
