import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { queueDriverOptions, Servers } from '../../src/database/servers.ts'
import { systemPrincipal } from '../../src/domain/context.ts'
import { type CleanupKind, continueRun, recordRun, usualRun } from '../../src/domain/sweeps/runs/recordRun.ts'
import { requestCleanup } from '../../src/domain/sweeps/runs/requestRun.ts'
import { usualCleanup } from '../../src/domain/sweeps/runs/settings.ts'
import { takeOverSilentRuns } from '../../src/domain/sweeps/runs/takeOver.ts'
import { createTenant } from '../../src/domain/tenants/createTenant.ts'
import { migrateJobQueue } from '../../src/jobs/jobQueue.ts'
import { lanes } from '../../src/jobs/schedule.ts'
import { runIfDue, runQueued } from '../../src/jobs/sweeps.ts'
import { delay } from '../storeFaults/faults.ts'
import { askForIntent, type TestTenant } from '../testService.ts'
import { plantReleased, sweepContextOf } from './plantFile.ts'
import { newIds, openReconcileWorkbench, type ReconcileWorkbench } from './reconcileWorkbench.ts'
import { WorkerProcess } from './workerProcess.ts'

let bench: ReconcileWorkbench
let tenant: TestTenant
const workers: WorkerProcess[] = []

const silentMs = 1_500
/** Listings come three keys at a time, twenty times a second. */
const hasty = { heartbeatMs: 200, silentMs, listedPerSecond: 60, settleMs: 0 }

beforeAll(async () => {
  bench = await openReconcileWorkbench({ behindProxy: true })
  const servers = new Servers(bench.service.testDatabase.superuserUrl)
  await migrateJobQueue(queueDriverOptions(servers), pino({ level: 'silent' }))
  Object.assign(bench.service.cleanup, { silentMs })
}, 60_000)
afterAll(() => bench.close())
afterEach(async () => {
  for (const worker of workers.splice(0)) await worker.kill()
  bench.service.store.clear()
  await bench.sql`delete from cleanup_runs`
})

async function startWorker(cleanup = hasty): Promise<WorkerProcess> {
  const { url: databaseUrl, superuserUrl: ownerUrl } = bench.service.testDatabase
  const keys = {
    bucket: 'files',
    region: 'us-east-1',
    accessKeyId: 'TESTKEY',
    secretAccessKey: 'test-secret-test-secret',
  }
  const bucket = { endpoint: bench.service.store.endpoint, forcePathStyle: true, ...keys }
  const worker = await WorkerProcess.start({ databaseUrl, ownerUrl, bucket, cleanup })
  workers.push(worker)
  return worker
}

const queue = (job: string) => bench.sql`select graphile_worker.add_job(${job}, job_key => ${job})`

/** Jobs that workers have begun, each with a worker id of the queue. */
async function countTaken(): Promise<number> {
  const taken =
    await bench.sql`select from graphile_worker._private_jobs j join graphile_worker._private_tasks t on t.id = j.task_id
    where t.identifier = 'expire_uploads' and j.locked_by is not null`
  return taken.length
}

async function readRun() {
  const [run] =
    await bench.sql`select *, examined::int, interruptions, now() - heartbeat_at < interval '1 second' as "isFresh"
    from cleanup_runs where tenant_id = ${tenant.id} order by created_at desc limit 1`
  return run
}
const readState = async () => (await readRun())?.['state']
const request = (kind: CleanupKind) => requestCleanup(bench.service.contextOf(tenant.admin), kind, usualRun)

/** Asks what is due until a worker has brought the run to its end, as the minute does. */
const waitForEnd = () =>
  expect
    .poll(
      async () => {
        await queue('find_due')
        return readState()
      },
      { timeout: 30_000, interval: 500 },
    )
    .toBe('DONE')

describe('a run that a person asked for', { timeout: 90_000 }, () => {
  it('lives while the bucket is silent, and goes to another worker when its own is killed', async () => {
    tenant = await bench.service.createTenant()
    bench.service.store.on(({ url }) => url.includes(tenant.id), delay(60_000))
    const first = await startWorker()
    const { id } = await request('RECONCILE')
    await expect.poll(readState, { timeout: 10_000 }).toBe('RUNNING')
    // For twice as long as a silent run would have.
    for (const until = Date.now() + 2 * silentMs; Date.now() < until;) {
      await takeOverSilentRuns(sweepContextOf(bench.service, tenant))
      await expect.poll(readRun).toMatchObject({ state: 'RUNNING', isFresh: true, interruptions: 0 })
    }
    await first.kill()
    bench.service.store.clear()
    await startWorker()
    await waitForEnd()
    expect(await readRun()).toMatchObject({ id, interruptions: 1, claim: null, requested_by: tenant.admin.id })
    expect(await bench.sql`select from cleanup_runs`).toHaveLength(1)
  })

  it('continues after the noted position of the killed worker, and examines nothing twice', async () => {
    tenant = await bench.service.createTenant()
    const ids = newIds(150)
    const keys = await bench.putOrphans(tenant.id, ids)
    const first = await startWorker()
    const { id } = await request('RECONCILE')
    await expect.poll(async () => (await readRun())?.['position'], { timeout: 10_000, interval: 20 }).not.toBeNull()
    await first.kill()
    expect(await readState()).toBe('RUNNING')
    const listings: string[] = []
    bench.service.store.on(({ url }) => {
      if (url.includes(`prefix=org%2F${tenant.id}`)) listings.push(url)
      return false
    }, delay(0))
    await startWorker()
    await waitForEnd()
    expect(listings[0]).toContain('start-after=')
    expect(await readRun()).toMatchObject({ id, examined: 150, found: { orphan: 150 }, interruptions: 1 })
    expect(await bench.orphansOf(tenant.id)).toEqual(keys)
    expect(
      await bench.sql`select distinct seen_by_run as id from orphan_objects where tenant_id = ${tenant.id}`,
    ).toEqual([{ id }])
  })

  it('waits for the next worker when its own is stopped', async () => {
    tenant = await bench.service.createTenant()
    await bench.putOrphans(tenant.id, newIds(150))
    const first = await startWorker()
    const { id } = await request('RECONCILE')
    await expect.poll(async () => (await readRun())?.['position'], { timeout: 10_000, interval: 20 }).not.toBeNull()
    await first.stop()
    expect(await readRun()).toMatchObject({ id, state: 'QUEUED', claim: null, interruptions: 0 })
    await startWorker()
    await waitForEnd()
    expect(await readRun()).toMatchObject({ id, examined: 150, found: { orphan: 150 } })
  })

  it('has failed when three workers died in it', async () => {
    tenant = await bench.service.createTenant()
    await request('VERIFY')
    const die = () => bench.sql`update cleanup_runs set state = 'RUNNING', heartbeat_at = now() - interval '1 minute'`
    for (const expected of ['QUEUED', 'QUEUED', 'FAILED']) {
      await die()
      await takeOverSilentRuns(sweepContextOf(bench.service, tenant))
      expect(await readState()).toBe(expected)
    }
    expect(await readRun()).toMatchObject({ message: 'Its process ended before it did.' })
  })
})

describe('a run of the schedule', { timeout: 90_000 }, () => {
  it('has failed when its worker was killed, and the next is made a minute later', async () => {
    tenant = await bench.service.createTenant()
    bench.service.store.on(({ url }) => url.includes(tenant.id), delay(60_000))
    const first = await startWorker()
    await bench.sql`select graphile_worker.add_job('reconcile', json_build_object('tenantId', ${tenant.id}::text))`
    await expect.poll(readState, { timeout: 10_000 }).toBe('RUNNING')
    await first.kill()
    await startWorker()
    await expect
      .poll(
        async () => {
          await queue('find_due')
          return readState()
        },
        { timeout: 30_000, interval: 500 },
      )
      .toBe('FAILED')
    const [next] =
      await bench.sql`select failures, not_before - now() between interval '50 s' and interval '60 s' as "isSoon"
      from sweep_schedule where tenant_id = ${tenant.id} and kind = 'RECONCILE'`
    expect(next).toEqual({ failures: 1, isSoon: true })
  })

  it('changes nothing in a run that another has taken over, when its process wakes up', async () => {
    tenant = await bench.service.createTenant()
    const ctx = {
      ...sweepContextOf(bench.service, tenant),
      settings: { ...bench.service.cleanup, heartbeatMs: 60_000 },
    }
    let wake: () => void = () => undefined
    const asleep = new Promise<void>((resolve) => {
      wake = resolve
    })
    const stopped = recordRun(ctx, 'VERIFY', usualRun, () => asleep)
    await expect.poll(readState).toBe('RUNNING')
    await bench.sql`update cleanup_runs set heartbeat_at = now() - interval '1 minute'`
    await takeOverSilentRuns(ctx)
    expect(await readState()).toBe('QUEUED')
    // The other worker is still at it when the first one wakes.
    await continueRun(ctx, (await readRun())?.['id'], async () => {
      wake()
      await stopped
      expect(await readRun()).toMatchObject({ state: 'RUNNING', finished_at: null })
    })
    expect(await readState()).toBe('DONE')
  })

  it('is made in turns where it lists for long, and stays one run', async () => {
    tenant = await bench.service.createTenant()
    await bench.putOrphans(tenant.id, newIds(12))
    const ctx = {
      ...bench.service.contextOf(systemPrincipal(tenant.id)),
      settings: { ...usualCleanup, settleMs: 0, listedPerSecond: 60 },
      turnMs: 0,
    }
    const outcomes = []
    for (let turns = 0; turns < 20; turns += 1) {
      const outcome = await runIfDue(ctx, 'RECONCILE')
      outcomes.push(outcome?.isUnfinished)
      if (!outcome?.isUnfinished) break
      expect(await readState()).toBe('QUEUED')
      // People's runs are made by another lane.
      await runQueued(ctx)
      expect(await readState()).toBe('QUEUED')
    }
    expect(outcomes.length).toBeGreaterThan(2)
    expect(outcomes.at(-1)).toBe(false)
    expect(await readRun()).toMatchObject({ state: 'DONE', examined: 12, found: { orphan: 12 } })
    expect(await bench.sql`select from cleanup_runs`).toHaveLength(1)
    const [next] = await bench.sql`select due_at > now() + interval '23 hours' as "isTomorrow" from sweep_schedule
      where tenant_id = ${tenant.id} and kind = 'RECONCILE'`
    expect(next).toEqual({ isTomorrow: true })
  })
})

describe('the jobs of each minute', () => {
  it('run while all deletes of the worker wait for the bucket', { timeout: 90_000 }, async () => {
    const tenants = [await bench.service.createTenant(), await bench.service.createTenant()]
    for (const one of tenants) await plantReleased(bench.service, one, bench.sql)
    bench.service.store.on(({ url }) => tenants.some(({ id }) => url.includes(id)), delay(60_000))
    await startWorker()
    await queue('find_due')
    const count = async (rows: PromiseLike<readonly unknown[]>) => (await rows).length
    const deletes = () => count(bench.sql`select from cleanup_runs where kind = 'DELETE_BLOBS' and state = 'RUNNING'`)
    await expect.poll(deletes, { timeout: 10_000 }).toBe(2)
    await queue('mark_bucket')
    await queue('find_due')
    const waiting = () => count(bench.sql`select from graphile_worker.jobs where key in ('mark_bucket', 'find_due')`)
    await expect.poll(waiting, { timeout: 10_000 }).toBe(0)
    expect(await deletes()).toBe(2)
  })
})

describe('two workers', () => {
  it('share the tenants in which something is due, and sweep each once', { timeout: 120_000 }, async () => {
    const tenants: string[] = []
    for (let at = 0; at < 60; at += 1) {
      const { id } = await createTenant(bench.service, { slug: `shared-${at}`, name: 'Shared' })
      await askForIntent(bench.service, systemPrincipal(id))
      tenants.push(id)
    }
    await bench.sql`update uploads set expires_at = now() - interval '1 minute' where state = 'PENDING'`
    // On a busy machine a living worker can be silent for seconds.
    const patient = { ...hasty, silentMs: 60_000 }
    const both = [await startWorker(patient), await startWorker(patient)]
    // Nobody gets on until both have taken jobs: one worker could otherwise have done all of them by itself.
    await bench.sql.begin(async (tx) => {
      await tx`lock table uploads in exclusive mode`
      await queue('find_due')
      await expect.poll(countTaken, { timeout: 9_000 }).toBe(both.length * lanes.SHORT.concurrency)
    })
    const sweptBy = ({ lines }: WorkerProcess) =>
      lines.filter(({ kind }) => kind === 'EXPIRE_UPLOADS').map((line) => String(line['tenant']))
    await expect.poll(() => both.flatMap(sweptBy).length, { timeout: 60_000 }).toBeGreaterThanOrEqual(60)
    expect(both.flatMap(sweptBy).toSorted()).toEqual(tenants.toSorted())
    for (const worker of both) expect(sweptBy(worker).length).toBeGreaterThan(0)
    const runs =
      await bench.sql`select count(*)::int as n from cleanup_runs where kind = 'EXPIRE_UPLOADS' group by tenant_id`
    expect(runs.map(({ n }) => n)).toEqual(tenants.map(() => 1))
  })
})
