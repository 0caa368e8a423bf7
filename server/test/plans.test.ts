import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planSettings } from '../src/database/connection.ts'
import { seedFiles } from './seedFiles.ts'
import { startTestService, type TestService, type TestTenant } from './testService.ts'

/*
 * A plan is made once a connection and then serves every tenant and every value (`planSettings.ts`), so what is held here
 * is the plan that knows no values, over whatever Postgres has seen of the tables when it is made.
 */
let service: TestService
let tenant: TestTenant
let superuser: postgres.Sql
let app: postgres.Sql

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
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

async function seedFewTenants(): Promise<void> {
  for (let others = 0; others < 4; others += 1) await seedFiles(superuser, await service.createTenant(), 500)
  await seedFiles(superuser, tenant, 10_000)
  await seedRest()
  await superuser`vacuum analyze`
}

/** Of which nothing but their number matters: each with one person, who uploaded all. */
async function seedSmallTenants(count: number, filesOfEach: number): Promise<void> {
  await superuser.begin(async (tx) => {
    await tx`set local session_replication_role = replica`
    await tx`create temporary table small on commit drop as
      select tenant.id as tenant_id, gen_random_uuid() as id, now() - n * interval '1 hour' as at
      from (select gen_random_uuid() as id from generate_series(1, ${count})) tenant cross join generate_series(1, ${filesOfEach}) n`
    await tx`insert into principals (tenant_id, id, kind, subject, name, created_at)
      select distinct on (tenant_id) tenant_id, id, 'USER', id, 'Someone', at from small`
    await tx`insert into blobs (tenant_id, id, object_key, status, refcount, byte_size, content_type, created_at)
      select tenant_id, id, 'org/' || tenant_id || '/files/' || id, 'ready', 1, 1, 'a/b', at from small`
    await tx`insert into files (tenant_id, id, original_file_name, content_type, byte_size, current_version, uploaded_by, uploaded_at, updated_at)
      select tenant_id, id, 'small', 'a/b', 1, 1, id, at, at from small`
    await tx`insert into file_versions select tenant_id, id, 1, id, 'small', 'a/b', 1, id, at from small`
    await tx`insert into audit_log (tenant_id, id, seq, at, actor_id, action, subject_type, subject_id, subject_name, payload)
      select tenant_id, id, row_number() over (partition by tenant_id order by at), at, id, 'file.uploaded', 'file', id, 'small', '{}'
      from small`
  })
  await superuser`vacuum analyze`
}

/** People who never uploaded, and a history for each file: an audit entry, an intent, every third one trashed, every fifth attached. */
async function seedRest(): Promise<void> {
  await superuser`insert into principals (tenant_id, id, kind, subject, name, created_at)
    select ${tenant.id}, gen_random_uuid(), 'EXTERNAL', n, 'Somebody', now() from generate_series(1, 1000) n`
  await superuser`insert into audit_log (tenant_id, id, seq, at, actor_id, action, subject_type, subject_id, subject_name, payload)
    select tenant_id, gen_random_uuid(), -row_number() over (order by uploaded_at), uploaded_at, uploaded_by, 'file.uploaded', 'file', id, original_file_name, '{}' from files`
  await superuser`insert into uploads (tenant_id, id, blob_id, state, declared_name, declared_content_type, declared_byte_size,
      created_by, created_at, expires_at, file_id, version, finished_at)
    select tenant_id, gen_random_uuid(), id, 'COMMITTED', original_file_name, content_type, 1, uploaded_by, uploaded_at, uploaded_at, id, 1, uploaded_at
    from files`
  await superuser`update files set soft_deleted_at = uploaded_at, soft_deleted_by = uploaded_by
    where right(id::text, 1) in ('3', '6', '9')`
  await superuser`insert into attachments (tenant_id, id, file_id, owner_type, owner_id, slot, created_by, created_at)
    select tenant_id, gen_random_uuid(), id, 'claim', (random() * 1000)::int::text, 'main', uploaded_by, uploaded_at
    from files where soft_deleted_at is null and right(id::text, 1) in ('0', '5')`
}

/** The statements of an operation that read a page. */
async function pagesOf(query: string, who = tenant.admin): Promise<string[]> {
  service.statements.length = 0
  const { errors } = await service.ask(who, `{ ${query} }`)
  expect(errors).toBeUndefined()
  return service.statements.filter((text) => text.includes('limit'))
}

const planOf = (text: string): Promise<string> =>
  app.begin(async (tx) => {
    await tx`select set_tenant(${tenant.id})`
    const rows = await tx.unsafe(`explain (generic_plan) ${text}`).simple()
    return rows.map((row) => row['QUERY PLAN'] as string).join('\n')
  })

const cursorOf = (list: string, ...values: string[]) =>
  Buffer.from(JSON.stringify([list, ...values])).toString('base64url')
const someone = Buffer.from('Principal:00000000-0000-4000-8000-000000000001').toString('base64url')
const someFile = Buffer.from('File:00000000-0000-4000-8000-000000000001').toString('base64url')
/** Each filter of each list, at its start, behind a cursor, and backwards: what it is called, its table, its operation. */
function* lists(): Generator<[string, string, string]> {
  const uploader = `uploadedById: "${someone}"`
  const types = ['image/', 'image/p', 'ima'].map((prefix) => `contentTypePrefix: "${prefix}"`)
  for (const filter of ['', ...types, uploader, ...types.map((type) => `${type}, ${uploader}`)]) {
    yield* pagesIn('files', 'files', 'files', `filter: { state: READY, ${filter} }`)
    yield* pagesIn('files', 'files', 'trash', `filter: { state: TRASHED, ${filter} }`)
  }
  const since = 'since: "2026-01-01T00:00:10Z"'
  const until = 'until: "2026-01-01T00:00:20Z"'
  const subject = `subjectId: "${someFile}"`
  for (const filter of ['', 'action: "file.uploaded"', `actorId: "${someone}"`, subject, since, `${since}, ${until}`])
    yield* pagesIn('auditLog', 'audit_log', 'auditLog', `filter: { ${filter} }`)
  for (const state of ['null', 'PENDING', 'CANCELLED', 'COMMITTED'])
    yield* pagesIn('uploadIntents', 'uploads', 'uploadIntents', `filter: { state: ${state} }`)
}

function* pagesIn(field: string, table: string, order: string, given: string): Generator<[string, string, string]> {
  const cursor = cursorOf(order, '2026-01-01T00:00:00.700Z', '00000000-0000-4000-8000-000000000100')
  for (const [place, page] of [
    ['first', 'first: 20'],
    ['after', `first: 20, after: "${cursor}"`],
    ['before', `last: 20, before: "${cursor}"`],
  ] as const) {
    const name = `${field} ${place} ${given.replaceAll(/"[^"]{20,}"/g, '…')}`
    yield [name, table, `${field}(${given} ${page}) { nodes { id } }`]
  }
}

const walkOf = (table: string) => new RegExp(`Limit[^]*Index Scan (Backward )?using \\w+ on ${table}`)

/** Without what is done with the rows of a page when it has been read. */
const upToTheLimit = (plan: string) => plan.slice(plan.indexOf('Limit'))

describe('the plan of every list, made for empty tables', () => {
  it.each([...lists()])('walks an index: %s', async (_name, table, query) => {
    const [text] = await pagesOf(query)
    const plan = await planOf(text ?? '')
    expect(plan).toMatch(walkOf(table))
    expect(plan).not.toMatch(/Seq Scan|Bitmap|Materialize|Hash|Merge/)
    expect(upToTheLimit(plan)).not.toContain('Sort')
  })
})

it('is made with these settings on every connection of the application', async () => {
  const names = sql.join(
    Object.keys(planSettings).map((name) => sql`${name}`),
    sql`, `,
  )
  const settings = await service.database.lookUp((db) =>
    db.execute<{ name: string; setting: string }>(sql`select name, setting from pg_settings where name in (${names})`),
  )
  expect(Object.fromEntries(settings.map(({ name, setting }) => [name, setting]))).toEqual(planSettings)
})

describe.each([
  ['for a few tenants', seedFewTenants],
  ['for a large tenant among a hundred small ones', () => seedSmallTenants(100, 100)],
  ['for a large tenant among thousands of very small ones', () => seedSmallTenants(5_000, 1)],
])('the plan of every list, made %s', (_when, seed) => {
  beforeAll(seed, 120_000)

  it.each([...lists()])('walks an index and looks up the rest by key: %s', async (_name, table, query) => {
    const [text, ...others] = await pagesOf(query)
    expect(others).toEqual([])
    const plan = await planOf(text ?? '')
    expect(plan).toMatch(walkOf(table))
    expect(plan).not.toMatch(/Seq Scan|Bitmap|Materialize|Hash|Merge|Join Filter/)
    expect(upToTheLimit(plan)).not.toContain('Sort')
  })
})

it('finds intents in a rare state by the index of states', async () => {
  const query = 'uploadIntents(filter: { state: CANCELLED }, first: 20) { nodes { id } }'
  const [text] = await pagesOf(query)
  expect(await planOf(text ?? '')).toMatch(/using uploads_by_state on uploads[^]*?Index Cond: .*state/)
  const [own] = await pagesOf(query, tenant.member)
  expect(await planOf(own ?? '')).toMatch(/using uploads_by_creator_and_state on uploads[^]*?Index Cond: .*state/)
})

it.each([
  ['uploadIntents(filter: { state: EXPIRED }, first: 20)', 'uploads_by_state', 'uploads_pending'],
  ['auditLog(filter: { action: "file.soft_deleted" }, first: 20)', 'audit_log_by_action', 'audit_log_by_action'],
  ['auditLog(filter: { action: "file.deleted" }, first: 20)', 'audit_log_by_action', 'audit_log_by_action'],
])('reads a page of each of two lists, by their own indexes, and merges them: %s', async (field, one, other) => {
  const [text] = await pagesOf(`${field} { nodes { id } }`)
  const plan = await planOf(text ?? '')
  expect(plan).toMatch(new RegExp(`Append[^]* using ${one} on [^]* using ${other} on `))
  expect(plan).not.toMatch(/Seq Scan|Bitmap|Materialize|Hash|Merge Join/)
})
