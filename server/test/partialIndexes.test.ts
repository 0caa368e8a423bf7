import { graphql } from 'graphql'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planSettings } from '../src/database/connection.ts'
import { contextFor } from '../src/graphql/requestContext.ts'
import { schema } from '../src/graphql/schema.ts'
import { openTenantDatabase } from '../src/database/tenantDatabase.ts'
import { systemPrincipal } from '../src/domain/context.ts'
import { usualRun } from '../src/domain/sweeps/runs/recordRun.ts'
import { requestCleanup } from '../src/domain/sweeps/runs/requestRun.ts'
import { runQueued, runIfDue } from '../src/jobs/sweeps.ts'
import { type Data, startTestService, type TestService, type TestTenant, uploadFile } from './testService.ts'

/*
 * The application's plans are generic, so Postgres uses a partial index only if the text of a statement implies its
 * predicate. Each partial index names the statements that it exists for; they are taken as the application sends them.
 */
let service: TestService
let tenant: TestTenant
let superuser: postgres.Sql
let app: postgres.Sql

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
  // What it reads would be counted as read by the application.
  for (const table of ['uploads', 'blobs', 'files', 'cleanup_runs'])
    await superuser.unsafe(`alter table ${table} set (autovacuum_enabled = false)`)
  app = postgres(service.testDatabase.url, {
    max: 1,
    connection: { role: service.testDatabase.appRole, search_path: 'filegraph', ...planSettings },
  })
}, 120_000)

afterAll(async () => {
  await app.end()
  await superuser.end()
  await service.close()
})

const sweepIn = (of: TestTenant, database = service.database) => ({
  ...service.contextOf(systemPrincipal(of.id)),
  database,
  settings: service.cleanup,
})

/** Answers with the data; an error fails the test. */
async function ask(query: string, variables?: Data): Promise<Data> {
  const { data, errors } = await service.ask(tenant.admin, query, variables)
  if (errors) throw new Error(JSON.stringify(errors))
  return data
}

const change = (mutation: string, id: string) =>
  ask(`mutation ($id: ID!) { ${mutation}(input: { id: $id }) { __typename ... on Error { code message } } }`, { id })

async function trashedFile(): Promise<string> {
  const { id } = await uploadFile(service, tenant.member)
  await change('deleteFile', id)
  return id
}

interface Reader {
  /** Which of the statements that are sent meanwhile the index exists for. */
  readonly statement: RegExp
  readonly run: () => Promise<unknown>
}

/** A run that finds nothing that old. */
const longAgo = () => ({ ...usualRun, before: new Date(service.now().getTime() - 100 * 86_400_000) })

const someone = Buffer.from('Principal:00000000-0000-4000-8000-000000000001').toString('base64url')
const page = (filter: string) => ask(`{ files(first: 20, filter: { ${filter} }) { nodes { id } } }`)
const page20 = /^select .* from \(select .* from "files" where .* limit /s

/** By the index; null is an index without a reader, with the reason. */
const readers: Readonly<Record<string, readonly Reader[] | string>> = {
  files_live: [{ statement: page20, run: () => page('state: READY') }],
  files_live_by_uploader: [{ statement: page20, run: () => page(`state: READY, uploadedById: "${someone}"`) }],
  files_live_by_class: [{ statement: page20, run: () => page('state: READY, contentTypePrefix: "image/"') }],
  files_trash: [{ statement: page20, run: () => page('state: TRASHED') }],
  files_cooling: [
    { statement: /from "files" .*"held_at" is null/s, run: () => runIfDue(sweepIn(tenant), 'PURGE_FILES') },
  ],
  blobs_released: [
    { statement: /"purge_not_before" is null/, run: () => runIfDue(sweepIn(tenant), 'DELETE_BLOBS') },
    { statement: /count\(\*\).*"purge_not_before" is null/s, run: () => service.sweep(tenant.id, 'DELETE_BLOBS') },
  ],
  blobs_postponed: [
    { statement: /"purge_not_before" is not null/, run: () => runIfDue(sweepIn(tenant), 'DELETE_BLOBS') },
    { statement: /count\(\*\).*"purge_not_before" is not null/s, run: () => service.sweep(tenant.id, 'DELETE_BLOBS') },
  ],
  blobs_deleting: [
    {
      statement: /from "blobs" .*order by "blobs"."deleting_since" asc/s,
      run: async () => {
        await requestCleanup(service.contextOf(tenant.admin), 'DELETE_BLOBS', longAgo())
        await runQueued(sweepIn(tenant))
      },
    },
  ],
  blobs_doubtful: [
    { statement: /"sha256" is null or/, run: async () => runIfDue(sweepIn(await service.createTenant()), 'VERIFY') },
  ],
  blobs_proved: [
    {
      statement: /"sha256" is not null and/,
      run: async () => runIfDue(sweepIn(await service.createTenant()), 'VERIFY'),
    },
  ],
  uploads_pending: [
    {
      statement: /from "uploads" .*"expires_at" <= .* order by/s,
      run: () => runIfDue(sweepIn(tenant), 'EXPIRE_UPLOADS'),
    },
    {
      statement: /union all/,
      run: () => ask('{ uploadIntents(first: 20, filter: { state: EXPIRED }) { nodes { id } } }'),
    },
  ],
  uploads_pending_newest: [
    {
      statement: /^select .* from \(select .* from "uploads" as "d0" where .* limit /s,
      run: () => ask('{ uploadIntents(first: 20, filter: { state: PENDING }) { nodes { id } } }'),
    },
  ],
  uploads_by_target: [
    { statement: /"target_file_id" = /, run: async () => change('purgeFile', await trashedFile()) },
    {
      statement: /from "files" .*for update skip locked/s,
      run: async () => {
        await trashedFile()
        await service.sweep(tenant.id, 'PURGE_FILES', longAgo())
      },
    },
  ],
  // Of all tenants. `dueTenants.test.ts` holds the plans of the functions that read them.
  blobs_doubtful_due: 'due_verifications',
  blobs_postponed_due: 'due_blobs',
  blobs_released_due: 'due_blobs',
  cleanup_runs_alive: 'due_runs and busy_tenants',
  cleanup_runs_waiting: 'due_runs',
  sweep_schedule_due: 'due_by_schedule',
  sweep_schedule_paused: 'busy_tenants',
  tenant_slugs_unscheduled: 'listUnscheduled, which is asked in no tenant',
  uploads_due: 'due_uploads',
  events_unpublished:
    'Nobody marks events as published, so it holds every event. What replaces it, a numbered journal, comes later.',
}

async function planOf(text: string): Promise<string> {
  return app.begin(async (tx) => {
    await tx`select set_tenant(${tenant.id})`
    const rows = await tx.unsafe(`explain (generic_plan) ${text}`).simple()
    return rows.map((row) => row['QUERY PLAN'] as string).join('\n')
  })
}

async function statementsOf({ run, statement }: Reader): Promise<string[]> {
  service.statements.length = 0
  await run()
  return [...new Set(service.statements)].filter((text) => statement.test(text))
}

const cases = Object.entries(readers).flatMap(([index, some]) =>
  typeof some === 'string' ? [] : some.map((reader): [string, Reader] => [index, reader]),
)

async function seedSmallTenants(): Promise<void> {
  await seedRows(`select gen_random_uuid() from generate_series(1, 1000)`, 5)
}

const hugeRows = 200_000

/** Rows of uploads that were committed, their blobs, files and runs; the files of every third are in the trash, and held. */
async function seedRows(tenants: string, rowsOfEach: number): Promise<void> {
  await superuser.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await tx.unsafe(`create temporary table seed on commit drop as
      select t.id as tenant_id, gen_random_uuid() as id, t.id as by, n, now() - n * interval '1 second' - interval '40 days' as at
      from (${tenants}) as t(id) cross join generate_series(1, ${rowsOfEach}) n`)
    await tx`insert into principals (tenant_id, id, kind, subject, name, created_at)
      select distinct tenant_id, by, 'USER', by::text, 'Someone', now() from seed`
    // One in ten is on its way out, and every second of those was postponed until tomorrow.
    await tx`insert into blobs (tenant_id, id, object_key, status, refcount, byte_size, content_type, created_at, deleting_since, purge_not_before, verified_at)
      select tenant_id, id, 'org/' || tenant_id || '/files/' || id, case when n % 10 = 0 then 'deleting' else 'ready' end,
        case when n % 10 = 0 then 0 else 1 end, 1, 'a/b', at, case when n % 20 = 0 then at when n % 10 = 0 then now() end,
        case when n % 20 = 0 then now() + interval '1 day' end, now() from seed`
    await tx`insert into files (tenant_id, id, original_file_name, content_type, byte_size, current_version, uploaded_by, uploaded_at,
        updated_at, soft_deleted_at, soft_deleted_by, held_at, held_by, hold_reason)
      select tenant_id, id, 'a', 'image/png', 1, 1, by, at, at, case when n % 3 = 0 then at end, case when n % 3 = 0 then by end,
        case when n % 3 = 0 then at end, case when n % 3 = 0 then by end, case when n % 3 = 0 then 'a law' end from seed`
    // Some were never committed; one in a hundred is pending for a day more.
    await tx`insert into uploads (tenant_id, id, blob_id, state, declared_name, declared_content_type, declared_byte_size, created_by,
        created_at, expires_at, file_id, version, finished_at)
      select tenant_id, id, id, s.state, 'a', 'a/b', 1, by, at, case when s.state = 'PENDING' then now() + interval '1 day' else at end,
        case when s.state = 'COMMITTED' then id end, case when s.state = 'COMMITTED' then 1 end, at
      from seed, lateral (select case n % 100 when 0 then 'PENDING' when 1 then 'CANCELLED' else 'COMMITTED' end as state) s`
    await tx`insert into cleanup_runs (tenant_id, id, kind, state, is_dry_run, exceeds_brake, requested_by, created_at, started_at,
        finished_at, examined, deleted, deleted_bytes, held, found, sample)
      select tenant_id, id, 'EXPIRE_UPLOADS', 'DONE', false, false, by, at, at, at, 0, 0, 0, '{}', '{}', '[]' from seed`
  })
  await superuser`vacuum analyze`
}

it('lists the statements of every partial index', async () => {
  const rows = await superuser`select c.relname as name from pg_index i join pg_class c on c.oid = i.indexrelid
    where i.indpred is not null and c.relnamespace = 'filegraph'::regnamespace order by 1`
  expect(rows.map(({ name }) => name)).toEqual(Object.keys(readers).toSorted())
})

describe.each([
  ['without any rows', () => Promise.resolve()],
  ['of a thousand small tenants', seedSmallTenants],
  ['of a huge tenant beside them', () => seedRows(`select '${tenant.id}'::uuid`, hugeRows)],
])('with the statistics %s', (_when, seed) => {
  beforeAll(seed, 240_000)

  it.each(cases)('uses %s', async (index, reader) => {
    const statements = await statementsOf(reader)
    expect(statements).not.toEqual([])
    for (const text of statements) expect(await planOf(text)).toMatch(new RegExp(` using ${index} `))
  })
})

describe('in a tenant of 200,000 of each', () => {
  /** Blocks of tables and their indexes that a piece of work reads. */
  async function blocksOf(work: (database: TestService['database']) => Promise<unknown>): Promise<number> {
    const before = await countBlocks()
    const database = openTenantDatabase({ url: service.testDatabase.url, size: 1, applicationName: 'blocks' })
    await work(database)
    // A session writes its statistics when it ends.
    await database.close()
    for (let waits = 0; waits < 100 && (await countSessions()) > 0; waits += 1)
      await new Promise((done) => setTimeout(done, 20))
    return (await countBlocks()) - before
  }

  /** What the API sends for a query of an admin. */
  async function askOver(database: TestService['database'], source: string): Promise<void> {
    const contextValue = contextFor({ ...service.contextOf(tenant.admin), database })
    const { errors } = await graphql({ schema, source, contextValue })
    expect(errors).toBeUndefined()
  }

  const countSessions = async () =>
    Number((await superuser`select count(*) from pg_stat_activity where application_name = 'blocks'`)[0]?.['count'])

  async function countBlocks(): Promise<number> {
    const [row] =
      await superuser`select sum(heap_blks_read + heap_blks_hit + coalesce(idx_blks_read, 0) + coalesce(idx_blks_hit, 0))::int as n
      from pg_statio_user_tables where relname in ('uploads', 'blobs', 'files', 'cleanup_runs')`
    return Number(row?.['n'])
  }

  const idle: [string, (of: TestTenant, database: TestService['database']) => Promise<unknown>][] = [
    ...(['EXPIRE_UPLOADS', 'DELETE_BLOBS', 'PURGE_FILES'] as const).map((kind): (typeof idle)[number] => [
      kind,
      async (of, database) => expect(await runIfDue(sweepIn(of, database), kind)).toBeNull(),
    ]),
    ['the runs that were asked for', (of, database) => runQueued(sweepIn(of, database))],
  ]

  it.each(idle)('a minute without work reads no more than in an empty one: %s', async (_what, work) => {
    const empty = await service.createTenant()
    const small = await blocksOf((database) => work(empty, database))
    expect(await blocksOf((database) => work(tenant, database))).toBeLessThanOrEqual(small + 12)
  })

  it.each(['PENDING', 'EXPIRED', 'CANCELLED', 'COMMITTED'])('a page of %s intents reads a page', async (state) => {
    const list = (database: TestService['database']) =>
      askOver(database, `{ uploadIntents(first: 20, filter: { state: ${state} }) { nodes { id createdBy { name } } } }`)
    expect(await blocksOf(list)).toBeLessThan(200)
  })

  it('a page of runs that were stopped reads a page', async () => {
    const list = (filter: string) => (database: TestService['database']) =>
      askOver(database, `{ cleanupRuns(first: 20, filter: { ${filter} }) { nodes { id requestedBy { name } } } }`)
    expect(await blocksOf(list('state: STOPPED'))).toBeLessThan(30)
    expect(await blocksOf(list('state: STOPPED, kind: VERIFY'))).toBeLessThan(30)
  })
})
