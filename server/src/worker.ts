import { parseCronItems, run, type Runner } from 'graphile-worker'
import type { Logger } from 'pino'
import { queueOptions } from './jobs/jobQueue.ts'
import { type Job, type JobContext, schedule } from './jobs/schedule.ts'
import type { Services } from './services.ts'

export interface RunningWorker {
  /** Lets jobs that run finish, for 5 s at most. */
  stop(): Promise<void>
}

const concurrentJobs = 2
const restartDelayMs = 5_000

/**
 * Runs the jobs of `schedule` and whatever is queued. Rejects when the queue's database cannot be reached at first; from
 * then on it comes back by itself.
 */
export async function startWorker(services: Services, jobs: readonly Job[] = schedule): Promise<RunningWorker> {
  const logger = services.logger.child({ process: 'worker' })
  const start = () => startRunner(services, logger, jobs)
  let runner: Runner | null = await start()
  let timer: NodeJS.Timeout | undefined
  let stopping = false

  const comeBack = () => {
    runner = null
    if (stopping) return
    timer = setTimeout(() => {
      start().then(watch, (error: unknown) => {
        logger.error({ err: error }, 'The worker could not start again')
        comeBack()
      })
    }, restartDelayMs)
  }
  const watch = (started: Runner): void => {
    runner = started
    if (stopping) void started.stop()
    // The queue gives up after many failures in a row, such as a database that was away for minutes.
    else started.promise.then(comeBack, comeBack)
  }
  watch(runner)
  return {
    async stop() {
      stopping = true
      clearTimeout(timer)
      await runner?.stop().catch((error: unknown) => logger.warn({ err: error }, 'The worker had already stopped'))
    },
  }
}

function startRunner(services: Services, logger: Logger, jobs: readonly Job[]): Promise<Runner> {
  const ctx: JobContext = { database: services.database, blobs: services.blobs, now: services.now, logger }
  return run({
    ...queueOptions(services.ownerUrl, logger),
    concurrency: concurrentJobs,
    maxPoolSize: concurrentJobs + 2,
    noHandleSignals: true,
    taskList: Object.fromEntries(jobs.map((job) => [job.name, () => job.run(ctx)])),
    // A run that was missed or that failed is not made up for: the next one does its work.
    parsedCronItems: parseCronItems(
      jobs.map(({ name, cadence }) => ({
        task: name,
        match: cadence,
        identifier: name,
        // The queue name keeps two runs of one job apart, should the first take longer than its cadence.
        options: { backfillPeriod: 0, maxAttempts: 1, jobKey: name, queueName: name },
      })),
    ),
  })
}
