import { Counter, Gauge, Histogram, type Registry } from 'prom-client'
import type { PoolLoad } from '../../database/connectionPool.ts'
import type { CleanupKind, Outcome } from '../../domain/sweeps/runs/recordRun.ts'
import type { BlobStore } from '../../storage/blobStore.ts'

/** Records what a process asks of its database and its bucket, and its jobs. */
export interface BackendMetrics {
  statement(milliseconds: number): void
  /** Reads the load at each scrape. */
  watchPool(load: () => PoolLoad): void
  /** The same store. Measures each call that asks the bucket. */
  measuredStore(store: BlobStore): BlobStore
  /** Runs a job and records its time and whether it failed. */
  job(name: string, work: () => Promise<void>): Promise<void>
  /** Records how a sweep ended. A run that failed is a failed job. */
  run(kind: CleanupKind, outcome: Outcome): void
}

const statementSeconds = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5]
const bucketSeconds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 60]
const jobSeconds = [0.1, 1, 10, 60, 300, 1_800, 7_200]

export function backendMetrics(registry: Registry): BackendMetrics {
  return { ...databaseMetrics(registry), ...bucketMetrics(registry), ...jobMetrics(registry) }
}

function databaseMetrics(registry: Registry): Pick<BackendMetrics, 'statement' | 'watchPool'> {
  const registers = [registry]
  const statements = new Histogram({
    name: 'filegraph_database_statement_seconds',
    help: 'Time from sending a statement to its answer.',
    buckets: statementSeconds,
    registers,
  })
  return {
    statement: (milliseconds) => statements.observe(milliseconds / 1000),
    watchPool: (load) =>
      void new Gauge({
        name: 'filegraph_database_connections',
        help: 'Connections of the pool (size), those in use (busy), and callers that wait for one (waiting).',
        labelNames: ['state'] as const,
        registers,
        collect() {
          for (const [state, value] of Object.entries(load())) this.set({ state }, value)
        },
      }),
  }
}

function bucketMetrics(registry: Registry): Pick<BackendMetrics, 'measuredStore'> {
  const registers = [registry]
  const labelNames = ['operation'] as const
  const time = new Histogram({
    name: 'filegraph_bucket_request_seconds',
    help: 'Time of calls to the bucket, retries included.',
    labelNames,
    buckets: bucketSeconds,
    registers,
  })
  const errors = new Counter({
    name: 'filegraph_bucket_errors_total',
    help: 'Calls to which the bucket gave no usable answer.',
    labelNames,
    registers,
  })
  const measured =
    <A extends unknown[], T>(operation: string, ask: (...args: A) => Promise<T>) =>
    async (...args: A): Promise<T> => {
      const stop = time.startTimer({ operation })
      try {
        return await ask(...args)
      } catch (error) {
        errors.inc({ operation })
        throw error
      } finally {
        stop()
      }
    }
  return {
    measuredStore: (store) => ({
      ...store,
      head: measured('head', store.head),
      examine: measured('examine', store.examine),
      readStart: measured('readStart', store.readStart),
      hash: measured('hash', store.hash),
      delete: measured('delete', store.delete),
      list: measured('list', store.list),
      write: measured('write', store.write),
      listUnfinishedUploads: measured('listUnfinishedUploads', store.listUnfinishedUploads),
      abortUpload: measured('abortUpload', store.abortUpload),
      ping: measured('ping', store.ping),
    }),
  }
}

function jobMetrics(registry: Registry): Pick<BackendMetrics, 'job' | 'run'> {
  const registers = [registry]
  const jobs = new Counter({
    // `job` is a label of Prometheus itself.
    name: 'filegraph_jobs_total',
    help: 'Jobs by outcome.',
    labelNames: ['task', 'outcome'] as const,
    registers,
  })
  const jobTime = new Histogram({
    name: 'filegraph_job_seconds',
    help: 'Time of jobs.',
    labelNames: ['task'] as const,
    buckets: jobSeconds,
    registers,
  })
  const runs = new Counter({
    name: 'filegraph_sweep_runs_total',
    help: 'Runs of sweeps. A run that ended was stopped by the brake or refused.',
    labelNames: ['kind', 'outcome'] as const,
    registers,
  })
  const deleted = new Counter({
    name: 'filegraph_sweep_deleted_total',
    help: 'What sweeps have deleted.',
    labelNames: ['kind'] as const,
    registers,
  })
  return {
    async job(name, work) {
      const stop = jobTime.startTimer({ task: name })
      let outcome = 'failed'
      try {
        await work()
        outcome = 'done'
      } finally {
        stop()
        jobs.inc({ task: name, outcome })
      }
    },
    run(kind, { ended, isUnfinished, tally }) {
      runs.inc({ kind, outcome: ended !== null ? 'ended' : isUnfinished ? 'unfinished' : 'done' })
      deleted.inc({ kind }, tally.deleted)
    },
  }
}
