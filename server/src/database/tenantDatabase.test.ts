import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { and, eq, sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTcpProxy } from '../../test/tcpProxy.ts'
import { createTestDatabase, type TestDatabase, plantTenant } from '../../test/testDatabase.ts'
import { DatabaseUnavailable, errorCodeOf, isUnavailable } from './databaseUnavailable.ts'
import { TransactionOver } from './statements.ts'
import { principals, tenantSlugs, users } from './tables/identityTables.ts'
import { openTenantDatabase, type TenantDatabase, type Transaction } from './tenantDatabase.ts'
import { TenantPredicateMissing } from './tenantPredicate.ts'

const ada = randomUUID()
const bob = randomUUID()

let database: TestDatabase
let tenants: TenantDatabase
let superuser: postgres.Sql

beforeAll(async () => {
  database = await createTestDatabase()
  superuser = postgres(database.superuserUrl, { max: 2, onnotice: () => undefined })
  tenants = openTenantDatabase({ url: database.url, size: 4, applicationName: 'test' })
  for (const [tenantId, name] of [
    [ada, 'of Ada'],
    [bob, 'of Bob'],
  ] as const) {
    await plantTenant(superuser, tenantId)
    await tenants.write(tenantId, (tx) => insertPrincipal(tx, name))
  }
})

afterAll(async () => {
  await tenants.close()
  await superuser.end()
  await database.drop()
})

const insertPrincipal = (tx: Transaction, name: string) => {
  const id = randomUUID()
  return tx.db
    .insert(principals)
    .values({ tenantId: tx.tenantId, id, kind: 'SYSTEM', subject: id, name, createdAt: new Date() })
}

const namesOf = (tx: Transaction) =>
  tx.db
    .select({ name: principals.name })
    .from(principals)
    .where(tx.inTenant(principals))
    .then((rows) => rows.map((row) => row.name))

/** A connection as the application's role, without any of our care. */
const naiveClient = () =>
  postgres(database.url, {
    max: 1,
    connection: { role: database.appRole, search_path: 'filegraph' },
    onnotice: () => undefined,
  })

describe('a transaction that Postgres ends in favour of another', () => {
  beforeAll(async () => {
    await superuser.unsafe(`create function fail_with(state text) returns void language plpgsql as
      $$ begin raise exception using errcode = state; end $$`)
  })

  const failWith = (tx: Transaction, state: string) => tx.db.execute(sql`select fail_with(${state}::text)`)

  it.each(['40P01', '40001'])('runs once more: %s', async (state) => {
    let attempts = 0
    const answer = await tenants.write(ada, async (tx) => {
      attempts += 1
      await insertPrincipal(tx, `${state}, attempt ${attempts}`)
      if (attempts === 1) await failWith(tx, state)
      return 'done'
    })
    expect({ answer, attempts }).toEqual({ answer: 'done', attempts: 2 })
    const names = await tenants.read(ada, namesOf)
    expect(names.filter((name) => name.startsWith(state))).toEqual([`${state}, attempt 2`])
    await superuser`delete from principals where name like ${`${state}%`}`
  })

  it('is unavailable if that happens again', async () => {
    let attempts = 0
    const outcome = tenants.write(ada, (tx) => {
      attempts += 1
      return failWith(tx, '40P01')
    })
    await expect(outcome).rejects.toSatisfy(isUnavailable)
    expect(attempts).toBe(2)
  })

  it.each(['23505', '55P03', '57014', 'P0001'])('does not run again for another reason: %s', async (state) => {
    let attempts = 0
    const outcome = tenants.write(ada, (tx) => {
      attempts += 1
      return failWith(tx, state)
    })
    await expect(outcome).rejects.toSatisfy((error: unknown) => errorCodeOf(error) === state)
    expect(attempts).toBe(1)
  })

  it('commits after a deadlock, and so does the other one', async () => {
    const [one, two] = [randomUUID(), randomUUID()]
    for (const id of [one, two])
      await superuser`insert into principals values (${bob}, ${id}, 'SYSTEM', ${id}, 'row', null, now())`
    let attempts = 0
    const locked: string[] = []
    const bothHaveOne = async (id: string) => {
      locked.push(id)
      while (locked.length < 2) await sleep(2)
    }
    const lockBoth = (ids: readonly string[]) =>
      tenants.write(bob, async (tx) => {
        attempts += 1
        for (const id of ids) {
          await tx.db
            .select()
            .from(principals)
            .where(and(tx.inTenant(principals), eq(principals.id, id)))
            .for('update')
          await bothHaveOne(id)
        }
        return 'done'
      })
    expect(await Promise.all([lockBoth([one, two]), lockBoth([two, one])])).toEqual(['done', 'done'])
    expect(attempts).toBe(3)
    await superuser`delete from principals where name = 'row'`
  })
})

describe('a tenant transaction', () => {
  it('sees the rows of its tenant and no other', async () => {
    expect(await tenants.read(ada, namesOf)).toEqual(['of Ada'])
    expect(await tenants.read(bob, namesOf)).toEqual(['of Bob'])
  })

  it('refuses a statement that does not name the tenant, before it is sent', async () => {
    const forgetful = tenants.read(ada, (tx) => tx.db.select().from(principals))
    await expect(forgetful).rejects.toMatchObject({ cause: expect.any(TenantPredicateMissing) })
  })

  it('refuses to write a row of another tenant, by its predicate and by row-level security', async () => {
    const row = { id: randomUUID(), kind: 'SYSTEM' as const, subject: 'x', name: 'x', createdAt: new Date() }
    const foreign = tenants.write(ada, (tx) => tx.db.insert(principals).values({ ...row, tenantId: bob }))
    await expect(foreign).rejects.toMatchObject({ cause: expect.any(TenantPredicateMissing) })
    const naive = naiveClient()
    const behindOurBack = naive.begin(async (tx) => {
      await tx`select set_tenant(${ada})`
      await tx`insert into principals (tenant_id, id, kind, subject, name, created_at) values (${bob}, ${row.id}, 'SYSTEM', 'x', 'x', now())`
    })
    await expect(behindOurBack).rejects.toMatchObject({ code: '42501' })
    await naive.end()
  })

  it('rolls everything back when its work fails', async () => {
    const failing = tenants.write(ada, async (tx) => {
      await insertPrincipal(tx, 'half done')
      throw new Error('stop')
    })
    await expect(failing).rejects.toThrow('stop')
    expect(await tenants.read(ada, namesOf)).toEqual(['of Ada'])
  })

  it('fails as a whole when a failed statement was caught', async () => {
    const swallowing = tenants.write(ada, async (tx) => {
      await insertPrincipal(tx, 'swallowed')
      await tx.db.execute(sql`select 1 / 0`).catch(() => undefined)
      return 'done'
    })
    await expect(swallowing).rejects.toThrow()
    expect(await tenants.read(ada, namesOf)).toEqual(['of Ada'])
  })

  it('fails as a whole when a statement was not awaited', async () => {
    const hasty = tenants.write(ada, async (tx) => {
      void insertPrincipal(tx, 'not awaited')
        .execute()
        .catch(() => undefined)
    })
    await expect(hasty).rejects.toThrow(TransactionOver)
    expect(await tenants.read(ada, namesOf)).toEqual(['of Ada'])
  })

  it('refuses to write in a read', async () => {
    await expect(tenants.read(ada, (tx) => insertPrincipal(tx, 'x'))).rejects.toMatchObject({
      cause: { code: '25006' },
    })
  })

  it('refuses tenant tables in look-ups, and allows others', async () => {
    await expect(tenants.lookUp((db) => db.select().from(principals))).rejects.toMatchObject({
      cause: expect.any(TenantPredicateMissing),
    })
    const slug = randomUUID()
    await tenants.lookUp((db) => db.insert(tenantSlugs).values({ slug, tenant: ada }))
    expect(await tenants.lookUp((db) => db.select().from(tenantSlugs).where(eq(tenantSlugs.slug, slug)))).toHaveLength(
      1,
    )
    expect(await tenants.lookUp((db) => db.select().from(users))).toEqual([])
  })
})

describe('a transaction of one statement', () => {
  it('is one round trip, sees only the rows of its tenant, and refuses a second statement', async () => {
    expect(await tenants.readOnce(ada, namesOf)).toEqual(['of Ada'])
    const greedy = tenants.readOnce(ada, async (tx) => [await namesOf(tx), await namesOf(tx)])
    await expect(greedy).rejects.toMatchObject({ cause: expect.any(TransactionOver) })
    const sent: string[] = []
    const told = openTenantDatabase({
      url: database.url,
      size: 1,
      applicationName: 'once',
      onStatement: (text) => sent.push(text),
    })
    const answered = told.readOnce(ada, (tx) => {
      const names = namesOf(tx)
      return names.then(() => [...sent])
    })
    // Before the first answer all of it was sent.
    expect((await answered).map((text) => text.split(' ')[0])).toEqual(['begin', 'select', 'select', 'commit'])
    await told.close()
  })

  it('fails when its statement fails or is refused, and leaves the connection usable', async () => {
    const one = openTenantDatabase({ url: database.url, size: 1, applicationName: 'once' })
    const pid = () => one.readOnce(ada, (tx) => tx.db.execute(sql`select pg_backend_pid() as pid`))
    const before = await pid()
    await expect(one.readOnce(ada, (tx) => tx.db.execute(sql`select 1 / 0`))).rejects.toMatchObject({
      cause: { code: '22012' },
    })
    await expect(one.readOnce(ada, (tx) => tx.db.select().from(principals))).rejects.toMatchObject({
      cause: expect.any(TenantPredicateMissing),
    })
    await expect(one.readOnce(ada, (tx) => insertPrincipal(tx, 'x'))).rejects.toMatchObject({
      cause: { code: '25006' },
    })
    expect(await one.readOnce(bob, namesOf)).toEqual(['of Bob'])
    expect(await pid()).toEqual(before)
    await one.close()
  })

  it('fails when the connection is lost before the answer, instead of returning no rows', async () => {
    const { hostname, port } = new URL(database.url)
    const proxy = await startTcpProxy({ host: hostname, port: Number(port) })
    const url = Object.assign(new URL(database.url), { port: proxy.port }).href
    for (let delay = 0; delay < 60; delay += 3) {
      const one = openTenantDatabase({ url, size: 1, applicationName: 'lost' })
      const asked = one.readOnce(ada, namesOf)
      const cut = new Promise<void>((resolve) => {
        setTimeout(() => {
          proxy.shut()
          proxy.open()
          resolve()
        }, delay)
      })
      const outcome = await asked.catch((error: unknown) => error)
      if (!(outcome instanceof DatabaseUnavailable)) expect(outcome).toEqual(['of Ada'])
      await cut
      await one.close()
    }
    await proxy.close()
  })
})

describe('leak 1: a transaction that is used after it ended', () => {
  it('reads another tenant in naive code', async () => {
    const naive = naiveClient()
    const db = drizzle({ client: naive })
    // The handle of a transaction that is run by hand on a shared connection, as pools do.
    const inTenant = async <T>(tenantId: string, work: (handle: typeof db) => Promise<T>) => {
      await naive.unsafe('begin')
      await naive`select set_tenant(${tenantId})`
      const value = await work(db)
      await naive.unsafe('commit')
      return value
    }
    const late = await inTenant(ada, async (handle) => ({ handle }))
    const seen = await inTenant(bob, () => late.handle.select({ name: principals.name }).from(principals))
    expect(seen).toEqual([{ name: 'of Bob' }])
    await naive.end()
  })

  it('throws here, and reads nothing', async () => {
    const kept: { tx?: Transaction } = {}
    await tenants.read(ada, async (tx) => {
      kept.tx = tx
    })
    const late = kept.tx
    if (!late) throw new Error('no transaction was kept')
    await expect(namesOf(late)).rejects.toMatchObject({ cause: expect.any(TransactionOver) })
    const insideAnother = tenants.read(bob, () => namesOf(late))
    await expect(insideAnother).rejects.toMatchObject({ cause: expect.any(TransactionOver) })
  })
})

describe('leak 2: a connection that returns to the pool inside an old transaction', () => {
  it('shows the old tenant in naive code', async () => {
    const naive = naiveClient()
    await naive.unsafe('begin')
    await naive`select set_tenant(${ada})`
    // A time-out on the client's side gives up here; the connection goes back as it is.
    const seen = await naive`select name from principals`
    expect(seen.map((row) => row['name'])).toEqual(['of Ada'])
    await naive.end()
  })

  it('does not happen after a lost connection or a timed-out statement', async () => {
    const one = openTenantDatabase({ url: database.url, size: 1, applicationName: 'leak 2', statementTimeoutMs: 200 })
    const backend = sql<{ pid: number }>`select pg_backend_pid() as pid`
    const pidOf = async (tx: Transaction) => Number((await tx.db.execute(backend))[0]?.['pid'])
    const broken = one.write(ada, async (tx) => {
      const pid = await pidOf(tx)
      await superuser`select pg_terminate_backend(${pid})`
      await new Promise((resolve) => setTimeout(resolve, 50))
      return namesOf(tx)
    })
    await expect(broken).rejects.toThrow(DatabaseUnavailable)
    expect(await one.read(bob, namesOf)).toEqual(['of Bob'])
    await expect(one.read(ada, (tx) => tx.db.execute(sql`select pg_sleep(5)`))).rejects.toThrow(DatabaseUnavailable)
    expect(await one.read(bob, namesOf)).toEqual(['of Bob'])
    expect(await one.lookUp((db) => db.execute(sql`select current_setting('app.tenant_id', true) as t`))).toEqual([
      { t: '' },
    ])
    await one.close()
  })

  it('destroys a connection whose rollback got no answer', async () => {
    const one = openTenantDatabase({ url: database.url, size: 1, applicationName: 'leak 2b' })
    const pids: number[] = []
    const backend = sql`select pg_backend_pid() as pid`
    const lost = one.write(ada, async (tx) => {
      pids.push(Number((await tx.db.execute(backend))[0]?.['pid']))
      await superuser`select pg_terminate_backend(${pids[0] ?? 0})`
      throw new Error('and then the rollback finds no connection')
    })
    await expect(lost).rejects.toThrow()
    await one.read(bob, async (tx) => pids.push(Number((await tx.db.execute(backend))[0]?.['pid'])))
    expect(pids[1]).not.toBe(pids[0])
    await one.close()
  })
})

describe('leak 3: a setting of the session', () => {
  it('is seen by the next user of the connection in naive code', async () => {
    const naive = naiveClient()
    await naive.unsafe(`set app.tenant_id = '${ada}'`)
    expect((await naive`select name from principals`).map((row) => row['name'])).toEqual(['of Ada'])
    await naive.end()
  })

  it('cannot be made through a transaction, and does not remain', async () => {
    const one = openTenantDatabase({ url: database.url, size: 1, applicationName: 'leak 3' })
    const setting = one.write(ada, (tx) => tx.db.execute(sql.raw(`set app.tenant_id = '${bob}'`)))
    await expect(setting).rejects.toMatchObject({ cause: expect.any(TenantPredicateMissing) })
    await one.read(ada, namesOf)
    expect(await one.lookUp((db) => db.execute(sql`select current_setting('app.tenant_id', true) as t`))).toEqual([
      { t: '' },
    ])
    await one.close()
  })
})

describe('leak 4: a view of a privileged owner', () => {
  it('shows every tenant in naive code, and we have none', async () => {
    await superuser`create view naive_view as select name from principals`
    await superuser.unsafe(`grant select on naive_view to ${database.appRole}`)
    const naive = naiveClient()
    const seen = await naive.begin(async (tx) => {
      await tx`select set_tenant(${ada})`
      return tx`select name from naive_view order by name`
    })
    expect(seen.map((row) => row['name'])).toEqual(['of Ada', 'of Bob'])
    await naive.end()
    await superuser`drop view naive_view`
    const views = await superuser`select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where c.relkind in ('v', 'm') and n.nspname = 'filegraph' and not coalesce(c.reloptions, '{}') @> '{security_invoker=true}'`
    expect(views).toEqual([])
  })
})

describe('the pool', () => {
  it('recovers by itself after an outage of the database', async () => {
    const closed = openTenantDatabase({ url: 'postgres://nobody@127.0.0.1:1/none', size: 1, applicationName: 'away' })
    await expect(closed.read(ada, namesOf)).rejects.toThrow(DatabaseUnavailable)
    await expect(closed.read(ada, namesOf)).rejects.toThrow(DatabaseUnavailable)
    await closed.close()
  })

  it('serves many callers with few connections, each in its own tenant', async () => {
    const few = openTenantDatabase({ url: database.url, size: 3, applicationName: 'few' })
    const answers = await Promise.all(
      Array.from({ length: 60 }, (_, at) => few.read(at % 2 ? ada : bob, namesOf).then((names) => [at % 2, ...names])),
    )
    expect(new Set(answers.map((answer) => answer.join()))).toEqual(new Set(['1,of Ada', '0,of Bob']))
    await few.close()
  })
})
