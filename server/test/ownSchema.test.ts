import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { drizzle } from 'drizzle-orm/postgres-js'
import { migrate as migrateAsBefore } from 'drizzle-orm/postgres-js/migrator'
import postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { knownMigrations, migrate } from '../src/database/migrate.ts'
import { openTenantDatabase } from '../src/database/tenantDatabase.ts'
import { systemPrincipal } from '../src/domain/context.ts'
import { attachFile } from '../src/domain/files/attachments/attachments.ts'
import { createTenant } from '../src/domain/tenants/createTenant.ts'
import { updateTenant } from '../src/domain/tenants/updateTenant.ts'
import { createEmptyDatabase } from './testDatabase.ts'

type Database = Awaited<ReturnType<typeof createEmptyDatabase>>

/** The last migration of 0.1.0. */
const lastOfBefore = '20261121172915_uploads_by_state'
const migrationsFolder = fileURLToPath(new URL('../../drizzle', import.meta.url))

let database: Database
let superuser: postgres.Sql

beforeEach(async () => {
  database = await createEmptyDatabase()
  superuser = postgres(database.superuserUrl, {
    max: 1,
    onnotice: () => undefined,
    connection: { search_path: 'public' },
  })
})

afterEach(async () => {
  await superuser.end()
  await database.drop()
})

/** An application of somebody else, with tables that are called like ours, some rows, and migrations by Drizzle. */
async function plantHost(): Promise<void> {
  await superuser`create table users (id int primary key, name text)`
  await superuser`create table sessions (id int primary key)`
  await superuser`create table files (id int primary key)`
  await superuser`create table events (id int primary key)`
  await superuser`insert into users values (1, 'of the host')`
  await superuser`create schema drizzle`
  await superuser`create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint, name text,
    applied_at timestamptz default now())`
  await superuser`insert into drizzle.__drizzle_migrations (hash, name) values ('x', '20200101000000_of_the_host')`
}

const hostAsItWas = async () => ({
  users: await superuser`select * from public.users`,
  tables: (
    await superuser`select relname from pg_class where relnamespace = 'public'::regnamespace and relkind = 'r' order by 1`
  ).map((row) => row['relname'] as string),
  migrations: (await superuser`select name from drizzle.__drizzle_migrations`).map((row) => row['name'] as string),
  acl: await superuser`select nspacl::text from pg_namespace where nspname = 'public'`,
})

/** What 0.1.0 did: everything in `public`, its migrations in Drizzle's own schema. */
async function installAsBefore(): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'filegraph-migrations-'))
  for (const name of readdirSync(migrationsFolder).filter((each) => each <= lastOfBefore))
    cpSync(join(migrationsFolder, name), join(folder, name), { recursive: true })
  for (const role of ['filegraph_app', 'filegraph_functions', 'filegraph_host'])
    await superuser.unsafe(`do $$ begin create role ${role} nologin; exception when duplicate_object then null; end $$`)
  try {
    await migrateAsBefore(drizzle({ client: superuser }), { migrationsFolder: folder })
  } finally {
    rmSync(folder, { recursive: true })
  }
}

/** What 0.1.0 recorded of one file: an event and an audit entry a change, one of the two for an access and for released bytes. */
async function plantHistory(tenant: string): Promise<void> {
  const at = (second: number) => new Date(Date.UTC(2026, 0, 1, 0, 0, second))
  await superuser`insert into principals (tenant_id, id, kind, subject, name, created_at)
    values (${tenant}, ${tenant}, 'SYSTEM', 'x', 'x', ${at(0)})`
  await superuser`insert into tenant_usage (tenant_id, file_count, trashed_count, version_count, stored_bytes, reserved_bytes)
    values (${tenant}, 0, 0, 0, 0, 0)`
  const event = (type: string, second: number) =>
    superuser`insert into events (tenant_id, id, type, subject_type, subject_id, payload, created_at)
      values (${tenant}, gen_random_uuid(), ${type}, 'file', ${tenant}, '{}', ${at(second)})`
  const entry = (action: string, second: number) =>
    superuser`insert into audit_log (tenant_id, id, at, actor_id, action, subject_type, subject_id, payload)
      values (${tenant}, gen_random_uuid(), ${at(second)}, ${tenant}, ${action}, 'file', ${tenant}, '{}')`
  // Not in the order of their times.
  for (const second of [4, 2]) {
    await event('file.renamed', second)
    await entry('file.renamed', second)
  }
  await event('file.uploaded', 1)
  await entry('file.uploaded', 1)
  await entry('file.download_url_issued', 3)
  await event('blob.released', 5)
}

const tablesIn = async (schema: string) =>
  (
    await superuser`select relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname = ${schema} and c.relkind = 'r' order by 1`
  ).map((row) => row['relname'] as string)

/** A tenant is made and changed, and a file of it attached: through tables and functions. */
async function works(schema?: string): Promise<void> {
  const app = openTenantDatabase({ url: database.superuserUrl, size: 1, applicationName: 'test', schema })
  const now = () => new Date()
  const origin = { requestId: null, address: null, userAgent: null }
  try {
    const tenant = await createTenant({ database: app, now }, { slug: 'acme', name: 'Acme' })
    const ctx = { principal: systemPrincipal(tenant.id), origin, database: app, now, blobs: undefined as never }
    await updateTenant(ctx, { name: 'Acme Limited' })
    const attaching = attachFile(ctx, tenant.id, { ownerType: 'row', ownerId: '1', slot: 'default' })
    await expect(attaching).rejects.toThrow('There is no such file')
    const journal = await superuser.unsafe(`select type, seq::int from ${schema ?? 'filegraph'}.events
      where tenant_id = '${tenant.id}' order by seq`)
    expect(journal).toEqual([
      { type: 'tenant.created', seq: 1 },
      { type: 'tenant.updated', seq: 2 },
    ])
  } finally {
    await app.close()
  }
}

describe('beside a host application whose public schema contains tables of the same names', () => {
  it('installs in its own schema, works, and changes nothing of the host', async () => {
    await plantHost()
    const before = await hostAsItWas()
    await migrate(database.superuserUrl)
    await migrate(database.superuserUrl)
    expect(await hostAsItWas()).toEqual(before)
    await works()
  })

  it('installs in the schema that DATABASE_SCHEMA names', async () => {
    await plantHost()
    const before = await hostAsItWas()
    await migrate(database.superuserUrl, { schema: 'file_service' })
    expect(await hostAsItWas()).toEqual(before)
    expect(await tablesIn('filegraph')).toEqual([])
    await works('file_service')
  })

  it('attaches a file in the transaction of the host', async () => {
    await plantHost()
    await migrate(database.superuserUrl)
    const [row] =
      await superuser`select to_regprocedure('filegraph.attach_file(text, text, text, text)') is not null as found`
    expect(row).toEqual({ found: true })
    const attempt = superuser.begin(async (tx) => {
      await tx`update users set name = 'changed'`
      await tx`select filegraph.set_tenant(${'01936b1e-0000-7000-8000-000000000001'})`
      await tx`select filegraph.attach_file('none', 'user', '1')`
    })
    await expect(attempt).rejects.toMatchObject({ code: 'P0002' })
    expect(await superuser`select name from users`).toEqual([{ name: 'of the host' }])
  })
})

describe('an installation of 0.1.0', () => {
  it.each([undefined, 'file_service'])('moves with its rows: to %s', async (schema) => {
    await installAsBefore()
    const id = '01936b1e-0000-7000-8000-000000000001'
    await superuser`insert into tenant_slugs (slug, tenant) values ('old', ${id})`
    await superuser`insert into tenants (id, slug, name, max_file_bytes, trash_days, intent_lifetime_seconds, download_max_seconds, created_at)
      values (${id}, 'old', 'Old', 1, 1, 1, 1, now())`
    await plantHistory(id)
    // A later migration creates a table of this name.
    await superuser`create table user_devices (id int)`
    await superuser`create table invoices (id int)`
    const target = schema ?? 'filegraph'
    await migrate(database.superuserUrl, schema ? { schema } : {})
    await migrate(database.superuserUrl, schema ? { schema } : {})
    expect(await tablesIn('public')).toEqual(['invoices', 'user_devices'])
    expect(await tablesIn('drizzle')).toEqual([])
    const names = await superuser.unsafe(`select name from ${target}.__drizzle_migrations order by id`)
    expect(names.map((row) => row['name'])).toEqual(knownMigrations())
    expect(await superuser.unsafe(`select slug from ${target}.tenants`)).toEqual([{ slug: 'old' }])
    const numbered = await superuser.unsafe(`select e.type, e.seq::int, a.seq::int as entry from ${target}.events e
      left join ${target}.audit_log a on a.tenant_id = e.tenant_id and a.seq = e.seq and a.action = e.type order by e.seq`)
    expect(numbered).toEqual([
      { type: 'file.uploaded', seq: 1, entry: 1 },
      { type: 'file.renamed', seq: 2, entry: 2 },
      { type: 'file.download_url_issued', seq: 3, entry: 3 },
      { type: 'file.renamed', seq: 4, entry: 4 },
      { type: 'blob.released', seq: 5, entry: null },
    ])
    expect(await superuser.unsafe(`select journal_seq::int as head from ${target}.tenant_usage`)).toEqual([{ head: 5 }])
    const left =
      await superuser`select proname from pg_proc where prosrc ~ '\mpublic\.' and pronamespace = ${target}::regnamespace`
    expect(left).toEqual([])
    await works(schema)
  })

  it('leaves the migrations of the host where Drizzle keeps them', async () => {
    await installAsBefore()
    await superuser`insert into drizzle.__drizzle_migrations (hash, name) values ('x', '20200101000000_of_the_host')`
    await migrate(database.superuserUrl)
    expect(await superuser`select name from drizzle.__drizzle_migrations`).toEqual([
      { name: '20200101000000_of_the_host' },
    ])
  })
})
