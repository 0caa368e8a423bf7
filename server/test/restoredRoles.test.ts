import { pino } from 'pino'
import postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { inspectDatabase } from '../src/cli/doctor/inspectDatabase.ts'
import { findDifferences } from '../src/database/applyPrivileges.ts'
import { migrate } from '../src/database/migrate.ts'
import { declaredPrivileges } from '../src/database/privileges.ts'
import { openTenantDatabase } from '../src/database/tenantDatabase.ts'
import { createTenant } from '../src/domain/tenants/createTenant.ts'
import { startTestPostgres } from '../src/embedded/postgres/startTestPostgres.ts'
import { migrateEverything } from '../src/run/migrateEverything.ts'
import type { Addresses } from '../src/run/openBackends.ts'
import { readinessOf } from '../src/run/readiness.ts'
import type { BlobStore } from '../src/storage/blobStore.ts'

const schema = 'filegraph'
const blobs = { ping: async () => undefined } as unknown as BlobStore
const logger = pino({ level: 'silent' })

// A server of its own, because roles belong to a whole server.
let server: Awaited<ReturnType<typeof startTestPostgres>>
let superuser: postgres.Sql
let addresses: Addresses

beforeAll(async () => {
  server = await startTestPostgres()
  superuser = postgres(server.url, { max: 1, onnotice: () => undefined })
  await superuser`create role restored_app login password 'test'`
  const login = Object.assign(new URL(server.url), { username: 'restored_app', password: 'test' }).href
  addresses = { databaseUrl: login, ownerUrl: server.url } as Addresses
})

beforeEach(() => migrateEverything(addresses, logger))

afterAll(async () => {
  await superuser.end()
  await server.stop()
})

/** What is left after a restore into a server without the roles: everything belongs to the one who restored. */
async function loseRoles(): Promise<void> {
  await superuser`reassign owned by filegraph_functions, filegraph_schedule to postgres`
  for (const role of ['filegraph_app', 'filegraph_functions', 'filegraph_schedule', 'filegraph_host']) {
    await superuser.unsafe(`drop owned by ${role}`)
    await superuser.unsafe(`drop role ${role}`)
  }
}

async function work() {
  const database = openTenantDatabase({ url: addresses.databaseUrl, size: 2, applicationName: 'restored' })
  try {
    const readiness = await readinessOf({ database, blobs })
    const now = () => new Date()
    const tenant = await createTenant({ database, now }, { slug: `t${Date.now()}`, name: 'Restored' }).catch(() => null)
    return { ...readiness, createsTenant: tenant !== null }
  } finally {
    await database.close()
  }
}

const problems = async () =>
  (await inspectDatabase(addresses)).filter(({ state }) => state !== 'ok').map(({ name }) => name)

const allWell = { database: true, migrations: true, bucket: true, deletes: 'allowed', createsTenant: true }

it('migrations leave exactly the declared owners and privileges', async () => {
  expect(await findDifferences(superuser, schema)).toEqual([])
  const names =
    await superuser`select relname as name from pg_class where relnamespace = ${schema}::regnamespace and relkind = 'r'
    union all select proname from pg_proc where pronamespace = ${schema}::regnamespace and proname not in ('busy_tenants', 'host_actor', 'refuse_change')`
  const declared = new Set(declaredPrivileges.map(({ object }) => object))
  expect(names.map(({ name }) => String(name)).filter((name) => !declared.has(name))).toEqual([])
  expect(await problems()).toEqual([])
})

it('sends no statement that changes something if nothing differs', async () => {
  const changes = async () => (await superuser`select pg_current_xact_id()::text as id`)[0]?.['id']
  const before = BigInt(String(await changes()))
  await migrate(server.url, { members: ['restored_app'] })
  expect(BigInt(String(await changes())) - before).toBe(1n)
})

it('migrate repairs a database that was restored without the roles', { timeout: 60_000 }, async () => {
  await loseRoles()
  expect(await problems()).toContain('role')
  await migrateEverything(addresses, logger)
  expect(await findDifferences(superuser, schema)).toEqual([])
  expect(await problems()).toEqual([])
  expect(await work()).toEqual(allWell)
})

it.each([
  ['a revoked privilege', 'revoke select on filegraph.files from filegraph_app'],
  ['a function of the superuser', 'alter function filegraph.attach_as owner to postgres'],
])('is not ready with %s, and migrate repairs it', async (_, damage) => {
  await superuser.unsafe(damage)
  expect(await work()).toMatchObject({ database: true, migrations: false })
  expect(await problems()).toEqual(['privileges'])
  await migrateEverything(addresses, logger)
  expect(await work()).toEqual(allWell)
})

it.each([
  ['a privilege too many', 'grant delete on filegraph.audit_log to filegraph_app'],
  ['a function that everybody may call', 'grant execute on function filegraph.set_tenant to public'],
  ['a role that may sign in', 'alter role filegraph_app login'],
  ['a lost policy', 'drop policy due_in_any_tenant on filegraph.blobs'],
])('migrate takes back %s', async (_, damage) => {
  await superuser.unsafe(damage)
  expect(await findDifferences(superuser, schema)).toHaveLength(1)
  await migrateEverything(addresses, logger)
  expect(await findDifferences(superuser, schema)).toEqual([])
})

it('leaves privileges of other roles alone', async () => {
  await superuser`create role reporting`
  await superuser`grant select on filegraph.files to reporting`
  await migrateEverything(addresses, logger)
  expect(await superuser`select has_table_privilege('reporting', 'filegraph.files', 'select') as may`).toEqual([
    { may: true },
  ])
})

it('names the owner of the tables to a login that may not repair them', async () => {
  await superuser`create role other_owner login createrole password 'test'`
  await superuser`grant create on database postgres to other_owner`
  await superuser`grant all on schema filegraph to other_owner`
  await superuser`grant all on filegraph.__drizzle_migrations to other_owner`
  await superuser`grant filegraph_app, filegraph_functions, filegraph_schedule, filegraph_backup to other_owner`
  await superuser`revoke select on filegraph.files from filegraph_app`
  const url = Object.assign(new URL(server.url), { username: 'other_owner', password: 'test' }).href
  await expect(migrate(url)).rejects.toThrow('grant postgres to other_owner')
})
