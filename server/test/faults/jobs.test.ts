import { pino } from 'pino'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import { queueDriverOptions, Servers } from '../../src/database/servers.ts'
import { deleteFile } from '../../src/domain/files/changeFile.ts'
import type { CleanupKind } from '../../src/domain/sweeps/runs/recordRun.ts'
import { migrateJobQueue } from '../../src/jobs/jobQueue.ts'
import type { JobContext } from '../../src/jobs/schedule.ts'
import { runQueued } from '../../src/jobs/sweeps.ts'
import type { Backends } from '../../src/run/openBackends.ts'
import { startWorker } from '../../src/run/worker.ts'
import { runJob, withoutQueue } from '../runSchedule.ts'
import { askForIntent, type Data, sendBytes, type TestTenant } from '../testService.ts'
import { plantFile, plantReleased, sweepContextOf } from './plantFile.ts'
import { newIds, openReconcileWorkbench, type ReconcileWorkbench } from './reconcileWorkbench.ts'

let bench: ReconcileWorkbench
let tenant: TestTenant
let job: JobContext

const logger = pino({ level: 'silent' })
const day = 86_400_000

beforeAll(async () => {
  bench = await openReconcileWorkbench({ behindProxy: true })
  const { database, blobs, cleanup } = bench.service
  job = withoutQueue({ database, blobs, cleanup, now: () => bench.service.now(), logger })
  tenant = await bench.service.createTenant()
})
afterAll(() => bench.close())
afterEach(async () => {
  bench.service.clock.offsetMs = 0
  await bench.sql`delete from cleanup_runs`
})

const runCleanup = (who: TestTenant['admin'], input: string) =>
  bench.service.ask(
    who,
    `mutation { runCleanup(input: { ${input} }) {
      __typename
      ... on RunCleanupSuccess { cleanupRun { id kind state requestedBy { name } } }
      ... on ValidationError { field message }
    } }`,
  )

/** Whatever a run of each kind would find to do. */
async function plantWork(): Promise<void> {
  const { service, sql } = bench
  const { uploadIntent } = await askForIntent(service, tenant.member)
  await sendBytes(uploadIntent, 'hello')
  const trashed = await plantFile(service, tenant, sql)
  await deleteFile(service.contextOf(tenant.member), trashed.fileId)
  await plantReleased(service, tenant, sql)
  const lost = await plantFile(service, tenant, sql)
  await service.blobs.delete([lost.objectKey])
  await bench.put(`org/${tenant.id}/files/${newIds(1)[0]}.txt`)
  await sql`update uploads set expires_at = now() - interval '1 minute' where state = 'PENDING'`
  await sql`update files set soft_deleted_at = now() - interval '90 days' where id = ${trashed.fileId}`
}

async function kindsRecorded(): Promise<string[]> {
  return (await bench.runsOf(tenant.admin)).map(({ kind }) => String(kind)).sort()
}

describe('the jobs of the schedule', () => {
  it('record nothing if there is nothing to do', async () => {
    for (const name of ['find_due', 'mark_bucket', 'find_stale_uploads']) await runJob(job, name)
    // The sweeps of a new tenant have their schedule by now.
    await runJob(job, 'find_due')
    expect(await kindsRecorded()).toEqual([])
  })

  it('make and record a run of each kind that has something to do', async () => {
    await plantWork()
    await bench.sql`update sweep_schedule set due_at = now(), not_before = now()`
    await runJob(job, 'find_due')
    await runJob(job, 'find_due')
    const runs = await bench.runsOf(tenant.admin)
    const byKind = Object.fromEntries(runs.map((run: Data) => [run.kind, run]))
    expect(Object.keys(byKind)).toHaveLength(5)
    expect(runs.every(({ state, requestedBy }) => state === 'DONE' && requestedBy.kind === 'SYSTEM')).toBe(true)
    expect(byKind['EXPIRE_UPLOADS']).toMatchObject({ deleted: 1 })
    expect(byKind['PURGE_FILES']).toMatchObject({ deleted: 1 })
    expect(byKind['DELETE_BLOBS']).toMatchObject({ examined: 1, deleted: 1 })
    expect(byKind['RECONCILE']).toMatchObject({ found: { orphan: 1 }, held: { GRACE: 1 } })
    expect(byKind['VERIFY']).toMatchObject({ found: { missing: 1 } })
  })

  it('log an error for missing bytes, in a requested run too', async () => {
    const other = await bench.service.createTenant()
    const lost = await plantFile(bench.service, other, bench.sql)
    await bench.service.blobs.delete([lost.objectKey])
    await plantFile(bench.service, other, bench.sql)
    const lines: string[] = []
    const loud = { ...job, logger: pino({ level: 'error' }, { write: (line: string) => void lines.push(line) }) }
    await runCleanup(other.admin, 'kind: RECONCILE')
    await runJob(loud, 'run_cleanup', other.id)
    expect(lines.join('')).toContain('The bucket does not hold what was committed')
  })
})

describe('a requested run', () => {
  it('needs ADMIN', async () => {
    for (const who of [tenant.viewer, tenant.member]) {
      const { errors } = await runCleanup(who, 'kind: RECONCILE')
      expect(errors?.[0]?.extensions.code).toBe('FORBIDDEN')
    }
    expect(await bench.sql`select from cleanup_runs`).toHaveLength(0)
  })

  it('refuses a cut-off that is in the future or malformed', async () => {
    const soon = new Date(Date.now() + 60_000).toISOString()
    const { data } = await runCleanup(tenant.admin, `kind: DELETE_BLOBS, before: "${soon}"`)
    expect(data.runCleanup).toMatchObject({ __typename: 'ValidationError', field: 'before' })
    for (const time of ['', 'yesterday', '2026-13-40T00:00:00Z']) {
      const { errors } = await runCleanup(tenant.admin, `kind: DELETE_BLOBS, before: "${time}"`)
      expect(errors?.length).toBeGreaterThan(0)
    }
    expect(await bench.sql`select from cleanup_runs`).toHaveLength(0)
  })

  it('is queued with its requester, and made once by concurrent workers', async () => {
    const { data } = await runCleanup(tenant.admin, 'kind: RECONCILE')
    expect(data.runCleanup.cleanupRun).toMatchObject({ state: 'QUEUED', requestedBy: { name: tenant.admin.name } })
    const ctx = sweepContextOf(bench.service, tenant)
    const before = bench.service.store.requests.length
    await Promise.all([runQueued(ctx), runQueued(ctx), runQueued(ctx)])
    await runQueued(ctx)
    expect(await bench.runsOf(tenant.admin)).toMatchObject([{ kind: 'RECONCILE', state: 'DONE' }])
    const asked = bench.service.store.requests
      .slice(before)
      .filter(({ method, path }) => method === 'GET' && path === '/files')
    // The markers, the vetoes and one page of the tenant.
    expect(asked).toHaveLength(3)
  })

  it('handles only what was released before its cut-off', async () => {
    const older = await plantReleased(bench.service, tenant, bench.sql, new Date(Date.now() - 3 * day))
    const newer = await plantReleased(bench.service, tenant, bench.sql, new Date(Date.now() - day))
    const before = new Date(Date.now() - 2 * day).toISOString()
    await runCleanup(tenant.admin, `kind: DELETE_BLOBS, before: "${before}"`)
    await runQueued(sweepContextOf(bench.service, tenant))
    expect(await bench.runsOf(tenant.admin)).toMatchObject([{ state: 'DONE', examined: 1, deleted: 1 }])
    expect(await bench.service.blobs.head(older.objectKey)).toBeNull()
    expect(await bench.service.blobs.head(newer.objectKey)).not.toBeNull()
  })

  it('starts at once if workers run, and runs once with any number of them', async () => {
    const servers = new Servers(bench.service.testDatabase.superuserUrl)
    await migrateJobQueue(queueDriverOptions(servers), logger)
    const backends = { ...job, ownerUrl: bench.service.testDatabase.superuserUrl } as unknown as Backends
    const workers = [await startWorker(backends), await startWorker(backends)]
    try {
      await runCleanup(tenant.admin, 'kind: VERIFY')
      const state = async () => (await bench.runsOf(tenant.admin)).find(({ kind }) => kind === 'VERIFY')?.state
      await expect.poll(state, { timeout: 10_000 }).toBe('DONE')
    } finally {
      for (const worker of workers) await worker.stop()
    }
    expect((await kindsRecorded()).filter((kind) => kind === 'VERIFY')).toHaveLength(1)
  })
})

describe('a dry run', () => {
  const kinds: CleanupKind[] = ['EXPIRE_UPLOADS', 'ABORT_UPLOADS', 'PURGE_FILES', 'DELETE_BLOBS', 'RECONCILE', 'VERIFY']

  it.each(kinds)('of %s reports what it would do and changes nothing', async (kind) => {
    if (kind === kinds[0]) await plantWork()
    await bench.service.sweep(tenant.id, 'ABORT_UPLOADS', { isDryRun: true })
    const [tables, objects] = [await dump(), await bench.service.blobs.list({ prefix: '' })]
    const { tally } = await bench.service.sweep(tenant.id, kind, { isDryRun: true })
    if (kind !== 'ABORT_UPLOADS') expect(tally.deleted + Object.keys(tally.found).length).toBeGreaterThan(0)
    expect(await dump()).toEqual(tables)
    expect(await bench.service.blobs.list({ prefix: '' })).toEqual(objects)
    const [run] = await bench.runsOf(tenant.admin)
    expect(run).toMatchObject({ kind, isDryRun: true, state: 'DONE' })
  })

  /** All rows of all tables but that of the runs themselves. */
  async function dump(): Promise<Record<string, string>> {
    const tables = await bench.sql`select table_name as name from information_schema.tables
      where table_schema = 'filegraph' and table_type = 'BASE TABLE' and table_name <> 'cleanup_runs' order by 1`
    const all: Record<string, string> = {}
    for (const { name } of tables as unknown as { name: string }[]) {
      const rows = await bench.sql`select t::text as row from ${bench.sql(name)} t order by 1`
      all[name] = rows.map(({ row }) => row).join('\n')
    }
    return all
  }
})
