import { randomUUID } from 'node:crypto'
import { type AnyOne, getTableName } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/pg-proxy'
import type { PgTable } from 'drizzle-orm/pg-core'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestService, type TestService, type TestTenant, uploadFile } from '../../test/testService.ts'
import { createApiKey } from '../domain/identity/keys/apiKeys.ts'
import { relationalReader } from './relationalReader.ts'
import { relations } from './relations.ts'
import { tenantTableNames } from './tenantPredicate.ts'

const all = Object.entries(relations).flatMap(([source, { relations: ofTable }]) =>
  Object.entries<AnyOne>(ofTable).map(([name, relation]) => ({ source, name, relation, label: `${source}.${name}` })),
)

const tableOf = (key: string) => (relations as Record<string, { table: PgTable }>)[key]!.table
const tenantColumnOf = (table: string) => (tenantTableNames.has(table) ? 'tenant_id' : 'id')
const tenantKeyOf = (table: string) => (tenantTableNames.has(table) ? 'tenantId' : 'id')

describe.each(all)('the relation $label', ({ source, relation }) => {
  it('has the tenant on both sides', () => {
    const [from, to] = [getTableName(tableOf(source)), getTableName(relation.targetTable as PgTable)]
    const pairs = relation.sourceColumns.map((column, at) => [column._.key, relation.targetColumns[at]?._.key])
    expect(pairs).toContainEqual([tenantKeyOf(from), tenantKeyOf(to)])
    expect(tenantTableNames.has(from)).toBe(true)
    expect(relation.through).toBeUndefined()
  })
})

describe('a row of another tenant', () => {
  let service: TestService
  let tenant: TestTenant
  let superuser: postgres.Sql

  beforeAll(async () => {
    service = await startTestService()
    tenant = await service.createTenant()
    const file = await uploadFile(service, tenant.member)
    const attach = `mutation ($fileId: ID!) { attachFile(input: { fileId: $fileId, ownerType: "invoice", ownerId: "1" }) { __typename } }`
    await service.ask(tenant.member, attach, { fileId: file.id })
    await service.ask(tenant.admin, 'mutation { runCleanup(input: { kind: VERIFY }) { __typename } }')
    await createApiKey(service.contextOf(tenant.owner), { name: 'key', role: 'VIEWER', expiresAt: null })
    superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
  })

  afterAll(async () => {
    await superuser.end()
    await service.close()
  })

  class RolledBack extends Error {}

  /** Gives all rows of a table that belong to the tenant to another one, past all constraints. */
  async function giveAway(sql: postgres.TransactionSql, table: string): Promise<void> {
    await sql`set local session_replication_role = replica`
    const checks = await sql<{ name: string }[]>`select conname as name from pg_constraint
      where conrelid = ${table}::regclass and contype = 'c'`
    for (const { name } of checks) await sql`alter table ${sql(table)} drop constraint ${sql(name)}`
    const column = tenantColumnOf(table)
    await sql`update ${sql(table)} set ${sql(column)} = ${randomUUID()} where ${sql(column)} = ${tenant.id}`
  }

  // As a superuser, whom row-level security does not bind: the relation alone has to keep the tenants apart.
  it.each(all)('is not reached by $label, although its id matches', async ({ source, name, relation }) => {
    const read = async (sql: postgres.TransactionSql) => {
      const db = drizzle(async (text, params) => ({ rows: await sql.unsafe(text, params as never[]).values() }), {
        relations,
      })
      const query = { columns: { tenantId: true }, with: { [name]: true }, where: { tenantId: tenant.id } }
      const rows = await (db.query as Record<string, { findMany(query: object): PromiseLike<object[]> }>)[
        source
      ]!.findMany(query)
      return rows.map((row) => (row as Record<string, unknown>)[name] !== null)
    }
    const before = await superuser.begin(read)
    expect(before.length).toBeGreaterThan(0)
    expect(before).not.toContain(false)
    let after: boolean[] = []
    const work = superuser.begin(async (sql) => {
      await giveAway(sql, getTableName(relation.targetTable as PgTable))
      after = await read(sql)
      throw new RolledBack()
    })
    await expect(work).rejects.toThrow(RolledBack)
    expect(after).toEqual(before.map(() => false))
  })

  it('is not read from any table', async () => {
    const other = await service.createTenant()
    const mine = relationalReader(service.database, tenant.id)
    const theirs = relationalReader(service.database, other.id)
    for (const table of Object.keys(relations) as (keyof typeof mine.query)[]) {
      const id = table === 'tenants' ? 'id' : 'tenantId'
      const rows = await mine.query[table].findMany({ columns: { [id]: true } })
      expect(rows.length).toBeGreaterThan(0)
      expect(rows.every((row) => row[id] === tenant.id)).toBe(true)
      const foreign = theirs.query[table].findMany({ where: { [id]: tenant.id } })
      await expect(foreign).rejects.toMatchObject({ cause: { name: 'TenantPredicateMissing' } })
    }
  })

  it('is refused by the first lock if a query names no tenant', async () => {
    const read = service.database.readOnce(tenant.id, (tx) => tx.relational.apiKeys.findMany({ columns: { id: true } }))
    await expect(read).rejects.toMatchObject({ cause: { name: 'TenantPredicateMissing' } })
  })
})

it('sends relational queries unprepared, so that their texts fill no connection', async () => {
  const service = await startTestService()
  const { id } = await service.createTenant()
  const names = await service.database.read(id, async (tx) => {
    await tx.relational.apiKeys.findMany({ columns: { name: true }, where: { tenantId: id } })
    return tx.db.execute<{ statement: string }>('select statement from pg_prepared_statements')
  })
  expect(names.map(({ statement }) => statement).filter((text) => text.includes('api_keys'))).toEqual([])
  expect(names.length).toBeGreaterThan(0)
  await service.close()
})
