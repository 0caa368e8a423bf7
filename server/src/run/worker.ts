import { EventEmitter } from 'node:events'
import { type CronItem, type JobHelpers, parseCronItems, run, type Runner, type WorkerEvents } from 'graphile-worker'
import type { Logger } from 'pino'
import { queueDriverOptions, Servers } from '../database/servers.ts'
import { isId } from '../domain/ids.ts'
import { enqueueForTenants, type JobPool, openJobPool, queueOptions } from '../jobs/jobQueue.ts'
import { type Job, type JobContext, lanes, schedule } from '../jobs/schedule.ts'
import type { Backends } from './openBackends.ts'

export interface RunningWorker {
  /** Lets running jobs finish, for at most 5 s. */
  stop(): Promise<void>
}

const restartDelayMs = 2_000
const failuresUntilRestart = 4

/**
 * Runs the jobs of `schedule` and all queued jobs, each in its lane. Rejects if the queue's database cannot be reached at the
 * start. Later it reconnects by itself.
 */
export async function startWorker(backends: Backends, jobs: readonly Job[] = schedule): Promise<RunningWorker> {
  const logger = backends.logger.child({ process: 'worker' })
  const address = queueDriverOptions(new Servers(backends.directUrl ?? backends.ownerUrl))
  const used = Object.entries(lanes)
    .map(([name, lane]) => ({ ...lane, jobs: jobs.filter((job) => job.lane === name) }))
    .filter((lane) => lane.jobs.length > 0)
  // Each lane listens on one connection. Two more start and end jobs; a running job holds none.
  const pool = openJobPool(address, used.length + 2, logger)
  const started: RunningWorker[] = []
  const stop = async () => {
    await Promise.all(started.map((lane) => lane.stop()))
    await pool.end()
  }
  try {
    for (const lane of used) started.push(await startLane(backends, pool, logger, lane))
  } catch (error) {
    await stop()
    throw error
  }
  return { stop }
}

interface Lane {
  readonly concurrency: number
  readonly jobs: readonly Job[]
}

/** Starts the lane, and restarts it after an outage of its database. */
async function startLane(backends: Backends, pool: JobPool, logger: Logger, lane: Lane): Promise<RunningWorker> {
  const start = () => startRunner(backends, pool, logger, { ...lane, isStopping: () => stopping })
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
  watch(await start())
  return {
    async stop() {
      stopping = true
      clearTimeout(timer)
      await runner?.stop().catch((error: unknown) => logger.warn({ err: error }, 'The worker had already stopped'))
    },
  }
}

interface RunningLane extends Lane {
  readonly isStopping: () => boolean
}

async function startRunner(backends: Backends, pool: JobPool, logger: Logger, lane: RunningLane): Promise<Runner> {
  const { database, blobs, now, cleanup, metrics } = backends
  const { isStopping } = lane
  const events: WorkerEvents = new EventEmitter()
  const taskOf = (job: Job) => (payload: unknown, queue: JobHelpers) => {
    const enqueue: JobContext['enqueue'] = (name, tenantIds) => enqueueForTenants(queue, name, tenantIds)
    const onRun = metrics?.run
    const ctx: JobContext = { database, blobs, now, cleanup, logger, enqueue, isStopping, ...(onRun && { onRun }) }
    const work = () => job.run(ctx, tenantIdIn(payload))
    return metrics ? metrics.job(job.name, work) : work()
  }
  const runner = await run({
    ...queueOptions(pool, logger),
    events,
    concurrency: lane.concurrency,
    noHandleSignals: true,
    taskList: Object.fromEntries(lane.jobs.map((job) => [job.name, taskOf(job)])),
    parsedCronItems: parseCronItems(cronItemsOf(lane.jobs)),
  })
  stopWhenStuck(runner, events)
  return runner
}

/** Missed and failed runs are not repeated: the next run does their work. */
const cronItemsOf = (jobs: readonly Job[]): CronItem[] =>
  jobs.flatMap(({ name, cadence }) =>
    cadence === null
      ? []
      : [
          {
            task: name,
            match: cadence,
            identifier: name,
            options: { backfillPeriod: 0, maxAttempts: 1, jobKey: name },
          },
        ],
  )

/** The tenant of a job that was queued for one. Undefined for a job with a cadence. */
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
