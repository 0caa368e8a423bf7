import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planSettings } from '../src/database/connection.ts'
import type { PreparedStatement, StatementValues } from '../src/database/preparedStatement.ts'
import { systemPrincipal } from '../src/domain/context.ts'
import { createApiKey } from '../src/domain/identity/keys/apiKeys.ts'
import { removeMember } from '../src/domain/identity/people/changeMembers.ts'
import { addMember } from '../src/domain/identity/people/createUser.ts'
import { listPrincipals } from '../src/domain/identity/people/findPrincipals.ts'
import { startTestService, type TestService, type TestTenant } from './testService.ts'

let service: TestService
let tenant: TestTenant
let superuser: postgres.Sql

const people: readonly (readonly [name: string, email: string | null])[] = [
  ['Zoë Ångström', 'zoe@acme.example'],
  ['José Muñoz', 'j.munoz@acme.example'],
  ['Straße & Søn', 'post@strasse.example'],
  ['Łukasz Żółć', null],
  ['Пётр Чайковский', null],
  ['Έλλη Παππά', null],
  ['محمد صلاح', null],
  ['田中 太郎', 'tanaka@acme.example'],
  ['김민준', null],
  ['100% O_Neil \\ Sons', null],
  ['ＦＵＬＬ Ｗｉｄｔｈ', null],
]

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
  for (const [name, email] of people) await insertExternal(tenant, name, email)
}, 120_000)

afterAll(async () => {
  await superuser.end()
  await service.close()
})

const insertExternal = (of: TestTenant, name: string, email: string | null) =>
  superuser`insert into principals (tenant_id, id, kind, subject, name, email, created_at)
    values (${of.id}, ${randomUUID()}, 'EXTERNAL', ${randomUUID()}, ${name}, ${email}, now())`

interface Found {
  readonly nodes: { readonly name: string; readonly kind: string; readonly email: string | null }[]
  readonly edges: { readonly cursor: string }[]
  readonly pageInfo: { readonly hasNextPage: boolean; readonly endCursor: string; readonly startCursor: string }
}

const query = `query ($search: String, $first: Int, $after: String, $last: Int, $before: String) {
  principals(search: $search, first: $first, after: $after, last: $last, before: $before) {
    nodes { id name kind email } edges { cursor } pageInfo { hasNextPage startCursor endCursor }
  }
}`

async function find(variables: Record<string, unknown>, who = tenant.viewer): Promise<Found> {
  const { data, errors } = await service.ask<{ principals: Found }>(who, query, variables)
  expect(errors).toBeUndefined()
  return data.principals
}

const namesFor = async (search: string, who = tenant.viewer) =>
  (await find({ search }, who)).nodes.map(({ name }) => name)

describe('a search for principals', () => {
  it.each([
    ['zoe', 'Zoë Ångström'],
    ['ÅNGSTRÖM', 'Zoë Ångström'],
    ['ngstr', 'Zoë Ångström'],
    ['angstrom zoe', 'Zoë Ångström'],
    ['  munoz\\u00a0  JOSE ', 'José Muñoz'],
    ['j.munoz@', 'José Muñoz'],
    ['STRASSE', 'Straße & Søn'],
    ['son', 'Straße & Søn'],
    ['lukasz zolc', 'Łukasz Żółć'],
    ['петр ЧАЙ', 'Пётр Чайковский'],
    ['ελλη', 'Έλλη Παππά'],
    ['صلاح', 'محمد صلاح'],
    ['مُحَمَّد', 'محمد صلاح'],
    ['中', '田中 太郎'],
    ['TANAKA', '田中 太郎'],
    ['민준', '김민준'],
    ['100%', '100% O_Neil \\ Sons'],
    ['o_n', '100% O_Neil \\ Sons'],
    ['\\', '100% O_Neil \\ Sons'],
    ['full width', 'ＦＵＬＬ Ｗｉｄｔｈ'],
  ])('for %j finds %j', async (search, name) => {
    expect(await namesFor(search.replace('\\u00a0', '\u00a0'))).toContain(name)
  })

  it.each(['%', '_', 'zo_', 'z%e', '100_', "' or 1=1 --"])('treats %j as text and not as a pattern', async (search) => {
    const names = await namesFor(search)
    expect(names.filter((name) => name !== '100% O_Neil \\ Sons')).toEqual([])
  })

  it('finds nobody if one of its words is in no name and no address', async () => {
    expect(await namesFor('zoe nobody')).toEqual([])
  })

  it.each([null, '', '   ', '\u0301'])('for %j finds everybody', async (search) => {
    const { nodes } = await find({ search, first: 100 })
    expect(nodes.length).toBe(people.length + 6)
  })

  it('finds API keys, and people who have left the tenant', async () => {
    const { owner } = tenant
    await createApiKey(service.contextOf(owner), { name: 'Nightly import', role: 'VIEWER', expiresAt: null })
    const email = `gone-${randomUUID()}@acme.example`
    const ctx = service.contextOf(systemPrincipal(tenant.id))
    await addMember(ctx, { email, name: 'Gone Girl', password: 'a long password', role: 'MEMBER' })
    await removeMember(ctx, email)
    expect((await find({ search: 'nightly' })).nodes).toMatchObject([{ name: 'Nightly import', kind: 'API_KEY' }])
    expect((await find({ search: 'gone girl' })).nodes).toMatchObject([{ name: 'Gone Girl', kind: 'USER', email }])
  })

  it('finds nobody of another tenant', async () => {
    const other = await service.createTenant()
    await insertExternal(other, 'Zoë of elsewhere', 'zoe@elsewhere.example')
    expect(await namesFor('zoe')).toEqual(['Zoë Ångström'])
    expect(await namesFor('zoe', other.viewer)).toEqual(['Zoë of elsewhere'])
    const { pageInfo } = await find({ first: 1 }, other.viewer)
    const { nodes } = await find({ first: 100, after: pageInfo.endCursor })
    expect(nodes.filter(({ email }) => email?.endsWith('elsewhere.example'))).toEqual([])
  })

  it.each(['a'.repeat(201), 'a\0b'])('refuses a search that Postgres cannot store: %#', async (search) => {
    const { errors } = await service.ask(tenant.viewer, query, { search })
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['BAD_USER_INPUT'])
  })

  it('refuses callers without credentials', async () => {
    const { errors } = await service.ask(null, query)
    expect(errors?.map(({ extensions }) => extensions.code)).toEqual(['UNAUTHENTICATED'])
  })
})

it('pages through everybody by name, in both directions, without gaps or repetitions among equal names', async () => {
  const crowded = await service.createTenant()
  for (let n = 0; n < 30; n += 1) await insertExternal(crowded, n % 3 === 0 ? 'Namesake' : `Person ${n % 7}`, null)
  const all = (await find({ first: 100 }, crowded.viewer)).edges.map(({ cursor }) => cursor)
  expect(all.length).toBe(36)
  const forward: string[] = []
  for (let after: string | null = null; ;) {
    const { edges, pageInfo }: Found = await find({ first: 7, after }, crowded.viewer)
    forward.push(...edges.map(({ cursor }) => cursor))
    if (!pageInfo.hasNextPage) break
    after = pageInfo.endCursor
  }
  const backward: string[] = []
  for (let before: string | null = null; ;) {
    const { edges, pageInfo }: Found = await find({ last: 7, before }, crowded.viewer)
    if (edges.length === 0) break
    backward.unshift(...edges.map(({ cursor }) => cursor))
    before = pageInfo.startCursor
  }
  expect(forward).toEqual(all)
  expect(backward).toEqual(all)
})

it('keeps and pages names that grow when they are folded', async () => {
  const long = await service.createTenant()
  // One ligature of eighteen letters, and letters of four bytes.
  for (const name of ['ﷺ'.repeat(200), '𠮷'.repeat(200), '"\\'.repeat(100)]) await insertExternal(long, name, null)
  const seen: string[] = []
  for (let after: string | null = null; ;) {
    const { nodes, pageInfo }: Found = await find({ first: 1, after }, long.viewer)
    seen.push(...nodes.map(({ name }) => name))
    if (!pageInfo.hasNextPage) break
    after = pageInfo.endCursor
  }
  // With the system and the five people of the tenant, two of whom share a name.
  expect(new Set(seen).size).toBe(8)
  expect(seen.length).toBe(9)
})

describe('among 100,000 principals', () => {
  let crowd: TestTenant
  let app: postgres.Sql

  beforeAll(async () => {
    crowd = await service.createTenant()
    // A commit that is not on disk yet is not marked visible to all, and the index alone would not do.
    await superuser`set synchronous_commit = on`
    await superuser`insert into principals (tenant_id, id, kind, subject, name, email, created_at)
      select ${crowd.id}, gen_random_uuid(), 'EXTERNAL', n, 'Person ' || md5(n::text), 'p' || n || '@crowd.example', now()
      from generate_series(1, 100000) n`
    await superuser`vacuum analyze principals`
    app = postgres(service.testDatabase.url, {
      max: 1,
      connection: { role: service.testDatabase.appRole, search_path: 'filegraph', ...planSettings },
    })
  }, 120_000)

  afterAll(() => app.end())

  /** What the product sends for a search, as it was planned and run the second time: the first reads the catalogue too. */
  async function explain(search: string | null): Promise<string> {
    let sent: { text: string; params: readonly unknown[] } | undefined
    const send = async (text: string, params: unknown[]) => {
      sent = { text, params }
      return { rows: [] }
    }
    const transaction = {
      run: (statement: PreparedStatement<unknown>, values: StatementValues) =>
        statement.execute(values, crowd.id, send),
    }
    const database = { readOnce: (_tenantId: string, work: (tx: never) => unknown) => work(transaction as never) }
    await listPrincipals({ ...service.contextOf(crowd.viewer), database: database as never }, search, { first: 20 })
    const { text, params } = sent ?? { text: '', params: [] }
    const values = params.map((param) => `'${String(param)}'`).join(', ')
    return app.begin(async (tx) => {
      await tx`select set_tenant(${crowd.id})`
      await tx.unsafe(`prepare page as ${text}`)
      const run = () => tx.unsafe(`explain (analyze, buffers, timing off) execute page(${values})`)
      await run()
      const plan = (await run()).map((row) => row['QUERY PLAN'] as string).join('\n')
      await tx.unsafe('deallocate page')
      return plan
    })
  }

  const buffersOf = (plan: string) => Number(/Buffers: shared hit=(\d+)/.exec(plan)?.[1])
  const millisecondsOf = (plan: string) => Number(/Execution Time: ([\d.]+)/.exec(plan)?.[1])

  it.each([
    ['everybody', null, 200],
    ['a word of many', 'person', 200],
    ['a word of one', 'p99999@', 4_000],
    ['a word of nobody', 'zzzz', 4_000],
    ['two letters', 'qq', 4_000],
  ])('a page for %s walks the index of names and reads only the rows that it shows', async (_what, search, most) => {
    const plan = await explain(search)
    console.log(`Search for ${search}: ${millisecondsOf(plan)} ms, ${buffersOf(plan)} buffers`)
    expect(plan).toMatch(/Index Only Scan using principals_by_name/)
    expect(plan).not.toMatch(/Seq Scan|Bitmap|Hash|Merge|Sort Method: external/)
    expect(buffersOf(plan)).toBeLessThan(most)
  })
})
