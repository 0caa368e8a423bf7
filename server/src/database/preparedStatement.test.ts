import { randomUUID } from 'node:crypto'
import { and, eq, gte, sql } from 'drizzle-orm'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase, plantTenant } from '../../test/testDatabase.ts'
import { prepareByKey, prepareStatement, type TenantScope } from './preparedStatement.ts'
import { TransactionOver } from './statements.ts'
import { principals } from './tables/identityTables.ts'
import { openTenantDatabase, type TenantDatabase, type Transaction } from './tenantDatabase.ts'
import { TenantPredicateMissing } from './tenantPredicate.ts'

const ada = randomUUID()
const bob = randomUUID()
const createdAt = new Date('2026-01-31T09:00:00.123Z')
const sent: string[] = []

let database: TestDatabase
let tenants: TenantDatabase

beforeAll(async () => {
  database = await createTestDatabase()
  const onStatement = (text: string) => void sent.push(text)
  tenants = openTenantDatabase({ url: database.url, size: 4, applicationName: 'test', onStatement })
  const superuser = postgres(database.superuserUrl, { max: 1, onnotice: () => undefined })
  for (const tenantId of [ada, bob]) await plantTenant(superuser, tenantId)
  await superuser.end()
  for (const tenantId of [ada, bob])
    await tenants.write(tenantId, (tx) =>
      tx.db
        .insert(principals)
        .values({ tenantId, id: tenantId, kind: 'SYSTEM', subject: 'itself', name: 'itself', createdAt }),
    )
})

afterAll(async () => {
  await tenants.close()
  await database.drop()
})

const selected = (tx: TenantScope) =>
  tx.db
    .select({ id: principals.id, createdAt: principals.createdAt, names: { name: principals.name } })
    .from(principals)

const bySubject = prepareStatement((tx) =>
  selected(tx).where(and(tx.inTenant(principals), eq(principals.subject, sql.placeholder('subject')))),
)
const values = { subject: 'itself' }

describe('a prepared statement', () => {
  it('reads the rows of the tenant whose transaction runs it, with the types of their columns', async () => {
    const rows = await tenants.readOnce(ada, (tx) => tx.run(bySubject, values))
    expect(rows).toEqual([{ id: ada, createdAt, names: { name: 'itself' } }])
    expect(await tenants.read(bob, (tx) => tx.run(bySubject, values))).toMatchObject([{ id: bob }])
  })

  it('reads no other tenant, whatever values it gets', async () => {
    const rows = await tenants.readOnce(ada, (tx) => tx.run(bySubject, { ...values, tenant: bob }))
    expect(rows).toMatchObject([{ id: ada }])
  })

  it('returns its own rows to each of many concurrent transactions', async () => {
    const asked = Array.from({ length: 40 }, (_, at) => (at % 3 === 0 ? ada : bob))
    const answers = await Promise.all(
      asked.map((tenantId) =>
        tenants.read(tenantId, async (tx) => {
          const both = await Promise.all([tx.run(bySubject, values), tx.run(bySubject, values)])
          return both.flat().map((row) => row.id)
        }),
      ),
    )
    expect(answers).toEqual(asked.map((tenantId) => [tenantId, tenantId]))
  })

  it('is sent by Drizzle before the call returns, so that it belongs to its transaction', async () => {
    const texts: string[] = []
    const answer = bySubject.execute(values, ada, async (text) => {
      texts.push(text)
      return { rows: [] }
    })
    expect(texts).toHaveLength(1)
    await answer
  })

  it('is refused if Drizzle sends it later, and never uses another transaction', async () => {
    const late = prepareStatement((tx: TenantScope) => {
      const query = selected(tx).where(tx.inTenant(principals)).prepare()
      const execute = async (given: Record<string, unknown>) => {
        await Promise.resolve()
        return query.execute(given)
      }
      return { prepare: () => ({ getQuery: () => query.getQuery(), execute }) }
    })
    const tenantsAsked: unknown[] = []
    const send = async (_text: string, params: unknown[]) => {
      tenantsAsked.push(params[0])
      return { rows: [] }
    }
    const refused = late.execute({}, bob, send)
    const others = Array.from({ length: 3 }, () => bySubject.execute(values, ada, send))
    await expect(refused).rejects.toMatchObject({ cause: { message: /outside a transaction/ } })
    await Promise.all(others)
    expect(tenantsAsked).toEqual([ada, ada, ada])
  })

  it('converts its values to the types of their columns', async () => {
    const since = prepareStatement((tx) => {
      const at = sql.param(sql.placeholder('at'), principals.createdAt)
      return selected(tx).where(and(tx.inTenant(principals), gte(principals.createdAt, at)))
    })
    const countSince = (at: Date) => tenants.readOnce(ada, async (tx) => (await tx.run(since, { at })).length)
    expect(await countSince(createdAt)).toBe(1)
    expect(await countSince(new Date(createdAt.getTime() + 1))).toBe(0)
  })

  it('is refused before it is sent if it does not name the tenant', async () => {
    const forgetful = prepareStatement((tx) => selected(tx))
    sent.length = 0
    for (let times = 0; times < 2; times += 1) {
      const cause = expect.any(TenantPredicateMissing)
      await expect(tenants.readOnce(ada, (tx) => tx.run(forgetful, {}))).rejects.toMatchObject({ cause })
    }
    expect(sent.filter((text) => text.includes('principals'))).toEqual([])
  })

  it('is not sent by a transaction that has ended', async () => {
    const kept: Transaction[] = []
    await tenants.read(ada, async (tx) => void kept.push(tx))
    const late = async () => kept[0]?.run(bySubject, values)
    await expect(late()).rejects.toMatchObject({ cause: expect.any(TransactionOver) })
  })

  it('is not sent without a value for each placeholder', async () => {
    sent.length = 0
    await expect(tenants.read(ada, (tx) => tx.run(bySubject, {}))).rejects.toThrow('subject')
    expect(sent.filter((text) => text.includes('principals'))).toEqual([])
  })

  it('cannot contain a value, which later callers would share', () => {
    const frozen = (tx: TenantScope) =>
      selected(tx).where(and(tx.inTenant(principals), eq(principals.subject, 'itself')))
    expect(() => prepareStatement(frozen)).toThrow('placeholders')
  })

  it('cannot be sent without a transaction', async () => {
    const scopes: TenantScope[] = []
    prepareStatement((tx) => {
      scopes.push(tx)
      return selected(tx)
    })
    const meanwhile = tenants.read(ada, (tx) => tx.run(bySubject, values))
    const [scope] = scopes
    await expect(scope?.db.execute(sql`select 1`)).rejects.toMatchObject({
      cause: { message: /outside a transaction/ },
    })
    await meanwhile
  })

  it('is written once per key', () => {
    const keep = prepareByKey<{ id: string }>()
    const first = keep('one', selected)
    expect(keep('one', selected)).toBe(first)
    expect(keep('other', selected)).not.toBe(first)
  })

  it('is evicted after many others were used, and kept while it is in use', () => {
    const keep = prepareByKey<{ id: string }>()
    const [first, used] = [keep('first', selected), keep('used', selected)]
    for (let at = 0; at < 100; at += 1) {
      keep(`${at}`, selected)
      expect(keep('used', selected)).toBe(used)
    }
    expect(keep('first', selected)).not.toBe(first)
  })
})
