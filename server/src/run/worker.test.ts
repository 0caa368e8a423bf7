import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseCronItems } from 'graphile-worker'
import { pino } from 'pino'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { withoutQueue } from '../../test/runSchedule.ts'
import { createTestDatabase, type TestDatabase } from '../../test/testDatabase.ts'
import { queueDriverOptions, Servers } from '../database/servers.ts'
import { usualCleanup } from '../domain/sweeps/runs/settings.ts'
import { createTenant } from '../domain/tenants/createTenant.ts'
import { startLocalBucket } from '../embedded/bucket/startLocalBucket.ts'
import { jobSchema, migrateJobQueue } from '../jobs/jobQueue.ts'
import { type Job, schedule } from '../jobs/schedule.ts'
import { openBackends, type Backends } from './openBackends.ts'
import { type RunningWorker, startWorker } from './worker.ts'

const lines: string[] = []
const logger = pino({ level: 'info' }, { write: (line: string) => void lines.push(line) })
const keys = {
  bucket: 'files',
  region: 'us-east-1',
  accessKeyId: 'TESTKEY',
  secretAccessKey: 'test-secret-test-secret',
}
const folder = mkdtempSync(join(tmpdir(), 'filegraph-worker-test-'))

let db: TestDatabase
let sql: postgres.Sql
let local: Awaited<ReturnType<typeof startLocalBucket>>
let backends: Backends

beforeAll(async () => {
  db = await createTestDatabase()
  sql = postgres(db.superuserUrl, { max: 1, onnotice: () => undefined })
  const { url: databaseUrl, superuserUrl: ownerUrl } = db
  local = await startLocalBucket({ directory: folder, ...keys })
  const bucket = { endpoint: local.endpoint, forcePathStyle: true, ...keys }
  backends = openBackends({
    databaseUrl,
    ownerUrl,
    bucket,
    logger,
    poolSize: 2,
    applicationName: 'worker test',
    cleanup: usualCleanup,
  })
})

afterAll(async () => {
  await backends.close()
  await local.close()
  rmSync(folder, { recursive: true, force: true })
  await sql.end()
  await db.drop()
})

async function running<T>(jobs: readonly Job[], work: () => Promise<T>, count = 1): Promise<T> {
  const workers: RunningWorker[] = []
  for (let at = 0; at < count; at += 1) workers.push(await startWorker(backends, jobs))
  try {
    return await work()
  } finally {
    for (const worker of workers) await worker.stop()
  }
}

const queue = (name: string) => sql`select graphile_worker.add_job(${name})`

describe('the worker', () => {
  it('migrates its tables once, for any number of concurrent processes', async () => {
    const address = queueDriverOptions(new Servers(db.superuserUrl))
    await Promise.all(Array.from({ length: 8 }, () => migrateJobQueue(address, logger)))
    await migrateJobQueue(address, logger)
    const [found] = await sql`select to_regclass(${`${jobSchema}._private_jobs`}) as jobs`
    expect(found?.['jobs']).not.toBeNull()
  })

  it('runs a queued job once, however many workers there are', async () => {
    let runs = 0
    const job: Job = {
      name: 'count',
      lane: 'SHORT',
      cadence: null,
      run: async () => {
        runs += 1
      },
    }
    await running(
      [job],
      async () => {
        await queue('count')
        await expect.poll(() => runs, { timeout: 5_000 }).toBe(1)
        await expect.poll(jobCount, { timeout: 5_000 }).toBe(0)
      },
      3,
    )
    expect(runs).toBe(1)
  })

  it('lets a running job finish before it stops', async () => {
    const steps: string[] = []
    const job: Job = {
      name: 'slow',
      lane: 'SHORT',
      cadence: null,
      run: async () => {
        steps.push('begun')
        await new Promise((resolve) => setTimeout(resolve, 400))
        steps.push('done')
      },
    }
    await running([job], async () => {
      await queue('slow')
      await expect.poll(() => steps, { timeout: 5_000 }).toContain('begun')
    })
    expect(steps).toEqual(['begun', 'done'])
  })

  it('logs nothing while all is well, and logs why a job failed', async () => {
    lines.length = 0
    const job: Job = { name: 'fail', lane: 'SHORT', cadence: null, run: () => Promise.reject(new Error('the reason')) }
    await running([job], async () => {
      expect(lines).toEqual([])
      await queue('fail')
      await expect.poll(() => lines.join(''), { timeout: 5_000 }).toContain('the reason')
    })
  })

  it('continues after its connections were lost', async () => {
    let runs = 0
    const job: Job = {
      name: 'after_loss',
      lane: 'SHORT',
      cadence: null,
      run: async () => {
        runs += 1
      },
    }
    await running([job], async () => {
      await expect.poll(strangers, { timeout: 5_000 }).toBeGreaterThan(0)
      await sql`select pg_terminate_backend(pid) from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and application_name <> 'worker test'`
      await queue('after_loss')
      await expect.poll(() => runs, { timeout: 15_000 }).toBe(1)
    })
  }, 30_000)

  it('leaves no connection behind', async () => {
    await running([], async () => undefined)
    await expect.poll(strangers, { timeout: 5_000 }).toBe(0)
  })
})

describe('the schedule', () => {
  it('names each job once, with a cadence that the queue can parse or none', () => {
    expect(new Set(schedule.map(({ name }) => name)).size).toBe(schedule.length)
    const items = schedule.flatMap(({ name, cadence }) =>
      cadence === null ? [] : [{ task: name, match: cadence, identifier: name }],
    )
    expect(parseCronItems(items)).toHaveLength(items.length)
  })

  it('contains jobs that run on a database without tenants and on one with tenants', async () => {
    const job = withoutQueue({ ...backends, logger })
    for (const { run } of schedule) await run(job)
    await createTenant(backends, { slug: 'some-tenant', name: 'Some tenant' })
    for (const { run } of schedule) await run(job)
  })
})

async function jobCount(): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int as count from graphile_worker._private_jobs`
  return row?.count ?? -1
}

/** Connections to this database that are neither ours nor the backends' own. */
async function strangers(): Promise<number> {
  const [row] = await sql<{ count: number }[]>`select count(*)::int as count from pg_stat_activity
    where datname = current_database() and pid <> pg_backend_pid() and application_name <> 'worker test'`
  return row?.count ?? -1
}
