import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/testDatabase.ts'
import { tenantTableNames } from './tenantPredicate.ts'

let database: TestDatabase
let sql: postgres.Sql

beforeAll(async () => {
  database = await createTestDatabase()
  sql = postgres(database.superuserUrl, { max: 1, onnotice: () => undefined })
})

afterAll(async () => {
  await sql.end()
  await database.drop()
})

const column = async <T>(rows: PromiseLike<readonly Record<string, unknown>[]>, name: string) =>
  (await rows).map((row) => row[name] as T)

const namesAndTenants: string[] = [...tenantTableNames, 'tenants']

const tenantTables = () =>
  column<string>(
    sql`select c.relname from pg_class c join pg_attribute a on a.attrelid = c.oid
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and a.attname = 'tenant_id' order by 1`,
    'relname',
  )

describe('the catalogue', () => {
  it('knows the same tenant tables as the predicate check', async () => {
    expect(await tenantTables()).toEqual([...tenantTableNames].toSorted())
  })

  it('forces row-level security with the one policy on every tenant table and on tenants', async () => {
    const rows = await sql`select c.relname, c.relrowsecurity, c.relforcerowsecurity, p.polname, p.polcmd,
        pg_get_expr(p.polqual, p.polrelid) as using_, pg_get_expr(p.polwithcheck, p.polrelid) as check_
      from pg_class c left join pg_policy p on p.polrelid = c.oid
      where c.relname in ${sql(namesAndTenants)} and c.relkind = 'r'`
    expect(rows).toHaveLength(tenantTableNames.size + 1)
    for (const row of rows) {
      const key = row['relname'] === 'tenants' ? 'id' : 'tenant_id'
      const policy = `(${key} = (NULLIF(current_setting('app.tenant_id'::text, true), ''::text))::uuid)`
      expect(row).toMatchObject({
        relrowsecurity: true,
        relforcerowsecurity: true,
        polcmd: '*',
        using_: policy,
        check_: policy,
      })
    }
  })

  it('has tenant_id, never null, first in every key and unique index of a tenant table', async () => {
    const keys = await sql`select i.indexrelid::regclass::text as name, a.attname, a.attnotnull
      from pg_index i join pg_class c on c.oid = i.indrelid
      join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
      where i.indisunique and c.relname in ${sql([...tenantTableNames])}`
    expect(keys.length).toBeGreaterThanOrEqual(tenantTableNames.size)
    for (const key of keys) expect(key).toMatchObject({ attname: 'tenant_id', attnotnull: true })
  })

  it('has tenant_id first in every other index of a tenant table too', async () => {
    const indexes = await sql`select i.indexrelid::regclass::text as name, a.attname
      from pg_index i join pg_class c on c.oid = i.indrelid
      join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
      where c.relname in ${sql([...tenantTableNames])}`
    for (const index of indexes) expect(index).toMatchObject({ attname: 'tenant_id' })
  })

  it('carries tenant_id on both sides of every foreign key, and never sets null or changes keys', async () => {
    const keys = await sql`select conname, confdeltype, confupdtype,
        (select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1]) as near,
        (select attname from pg_attribute where attrelid = confrelid and attnum = confkey[1]) as far
      from pg_constraint where contype = 'f' and connamespace = 'public'::regnamespace`
    expect(keys.length).toBeGreaterThan(5)
    for (const key of keys) {
      expect(key).toMatchObject({ near: 'tenant_id', far: 'tenant_id', confupdtype: 'a' })
      expect(['a', 'r', 'c']).toContain(key['confdeltype'])
    }
  })

  it('has no column that could hold a URL', async () => {
    const names = await column<string>(
      sql`select table_name || '.' || column_name as name from information_schema.columns
          where table_schema = 'public' and column_name ~* '(url|uri|href|link|location|signature)'`,
      'name',
    )
    expect(names).toEqual([])
  })

  it('names constraints, indexes and triggers in at most 50 bytes, none ending in a number', async () => {
    const names = await column<string>(
      sql`select conname as name from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
          union select c.relname from pg_class c where c.relkind = 'i' and c.relnamespace = 'public'::regnamespace
          union select tgname from pg_trigger where not tgisinternal`,
      'name',
    )
    expect(names.length).toBeGreaterThan(40)
    expect(names.filter((name) => Buffer.byteLength(name) > 50 || /_\d+$/.test(name))).toEqual([])
  })

  it('gives the application a role that owns nothing and cannot step around row-level security', async () => {
    const [role] = await sql`select rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolcanlogin
      from pg_roles where rolname = ${database.appRole}`
    expect(role).toEqual({
      rolsuper: false,
      rolbypassrls: false,
      rolcreaterole: false,
      rolcreatedb: false,
      rolcanlogin: false,
    })
    const owned = await sql`select 1 from pg_class where relowner = ${database.appRole}::regrole
      union all select 1 from pg_proc where proowner = ${database.appRole}::regrole
      union all select 1 from pg_namespace where nspowner = ${database.appRole}::regrole`
    expect(owned).toEqual([])
    const memberOf = await sql`select 1 from pg_auth_members where member = ${database.appRole}::regrole`
    expect(memberOf).toEqual([])
  })

  it('keeps times to the millisecond, so that a cursor carries them whole', async () => {
    const rows = await sql`select distinct datetime_precision from information_schema.columns
      where table_schema = 'public' and data_type like 'timestamp%'`
    expect(rows).toEqual([{ datetime_precision: 3 }])
  })
})

describe('history', () => {
  const asApp = () =>
    postgres(database.url, { max: 1, connection: { role: database.appRole }, onnotice: () => undefined })

  it.each(['update audit_log set action = action', 'delete from audit_log', 'truncate audit_log'])(
    'refuses the application: %s',
    async (statement) => {
      const app = asApp()
      await expect(app.unsafe(statement)).rejects.toMatchObject({ code: '42501' })
      await app.end()
    },
  )

  it.each([
    'update audit_log set action = action',
    'delete from audit_log',
    'truncate audit_log',
    'update file_versions set version = version',
    'truncate file_versions cascade',
    "update events set type = 'x'",
    'delete from events',
    'truncate events',
  ])('refuses even a superuser: %s', async (statement) => {
    const attempt = sql.begin(async (tx) => {
      const tenant = '01936b1e-0000-7000-8000-000000000001'
      const now = new Date()
      await tx`insert into principals values (${tenant}, ${tenant}, 'SYSTEM', 'x', 'x', null, ${now})`
      await tx`insert into audit_log (tenant_id, id, at, actor_id, action, subject_type, subject_id, payload)
        values (${tenant}, ${tenant}, ${now}, ${tenant}, 'x', 'x', ${tenant}, '{}')`
      await tx`insert into events (tenant_id, id, type, subject_type, subject_id, payload, created_at)
        values (${tenant}, ${tenant}, 'y', 'x', ${tenant}, '{}', ${now})`
      await tx`insert into blobs (tenant_id, id, object_key, status, refcount, byte_size, content_type, created_at)
        values (${tenant}, ${tenant}, ${`org/${tenant}/files/${tenant}.bin`}, 'ready', 1, 0, 'a/b', ${now})`
      await tx`insert into files (tenant_id, id, original_file_name, content_type, byte_size, current_version, uploaded_by, uploaded_at, updated_at)
        values (${tenant}, ${tenant}, 'a', 'a/b', 0, 1, ${tenant}, ${now}, ${now})`
      await tx`insert into file_versions values (${tenant}, ${tenant}, 1, ${tenant}, 'a', 'a/b', 0, ${tenant}, ${now})`
      await tx.unsafe(statement)
    })
    await expect(attempt).rejects.toMatchObject({ code: '23001' })
  })

  it('lets an event be marked as published, and nothing else of it', async () => {
    const app = asApp()
    await expect(app`update events set type = 'x'`).rejects.toMatchObject({ code: '42501' })
    await app`update events set published_at = now()`
    await app.end()
  })
})
