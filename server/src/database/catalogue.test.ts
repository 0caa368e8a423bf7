import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestDatabase, type TestDatabase } from '../../test/testDatabase.ts'
import { findUnreadable } from './backup/backupRole.ts'
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
        where c.relkind = 'r' and c.relnamespace = 'filegraph'::regnamespace and a.attname = 'tenant_id' order by 1`,
    'relname',
  )

describe('the catalogue', () => {
  it('has the tenant tables that the predicate check lists', async () => {
    expect(await tenantTables()).toEqual([...tenantTableNames].toSorted())
  })

  it('lets the role of the schedule read across tenants in four tables, and no other role in any', async () => {
    const rows = await sql`select c.relname as table, p.polcmd as command, pg_get_expr(p.polqual, p.polrelid) as rows,
        array(select r::regrole::text from unnest(p.polroles) r) as roles
      from pg_policy p join pg_class c on c.oid = p.polrelid where p.polname not in ('tenant_boundary', 'read_for_backup') order by 1`
    const policy = { command: 'r', rows: 'true', roles: ['filegraph_schedule'] }
    expect(rows).toEqual(['blobs', 'cleanup_runs', 'sweep_schedule', 'uploads'].map((table) => ({ table, ...policy })))
  })

  it('lets the role of backups read every row of every table, and write none', async () => {
    const unreadable = await findUnreadable(sql, 'filegraph')
    const writable = await sql`select relname from pg_class where relnamespace = 'filegraph'::regnamespace
      and relkind = 'r' and has_table_privilege('filegraph_backup', oid, 'insert, update, delete, truncate')`
    const policies = await sql`select distinct polcmd as command, pg_get_expr(polqual, polrelid) as rows,
        array(select r::regrole::text from unnest(polroles) r) as roles
      from pg_policy where polname = 'read_for_backup'`
    expect({ unreadable, writable: [...writable], policies: [...policies] }).toEqual({
      unreadable: [],
      writable: [],
      policies: [{ command: 'r', rows: 'true', roles: ['filegraph_backup'] }],
    })
    const members = await sql`select member::regrole::text as name from pg_auth_members
      where roleid = 'filegraph_backup'::regrole and member in ('filegraph_app'::regrole, 'filegraph_functions'::regrole,
        'filegraph_host'::regrole, 'filegraph_schedule'::regrole)`
    expect([...members]).toEqual([])
  })

  it('forces row-level security with the tenant policy on every tenant table and on tenants', async () => {
    const rows = await sql`select c.relname, c.relrowsecurity, c.relforcerowsecurity, p.polname, p.polcmd,
        pg_get_expr(p.polqual, p.polrelid) as using_, pg_get_expr(p.polwithcheck, p.polrelid) as check_
      from pg_class c left join pg_policy p on p.polrelid = c.oid and p.polname = 'tenant_boundary'
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

  it('has tenant_id first in every other index of a tenant table too, but in those that say what is due', async () => {
    const indexes = await sql`select i.indexrelid::regclass::text as name, a.attname
      from pg_index i join pg_class c on c.oid = i.indrelid
      join pg_attribute a on a.attrelid = c.oid and a.attnum = i.indkey[0]
      where c.relname in ${sql([...tenantTableNames])}`
    const across = indexes.filter((index) => index['attname'] !== 'tenant_id')
    expect(Object.fromEntries(across.map((index) => [index['name'], index['attname']]))).toEqual({
      blobs_doubtful_due: 'verified_at',
      blobs_postponed_due: 'purge_not_before',
      blobs_released_due: 'deleting_since',
      cleanup_runs_alive: 'heartbeat_at',
      cleanup_runs_waiting: 'heartbeat_at',
      sweep_schedule_due: 'kind',
      sweep_schedule_paused: 'kind',
      uploads_due: 'expires_at',
    })
  })

  it('has statistics targets for a tenant that holds a tenth of the table, on every tenant table', async () => {
    const options = await sql`select c.relname, a.attoptions
      from pg_class c join pg_attribute a on a.attrelid = c.oid and a.attname = 'tenant_id'
      where c.relname in ${sql([...tenantTableNames])} and c.relkind = 'r'`
    expect(options).toHaveLength(tenantTableNames.size)
    for (const option of options) expect(option).toMatchObject({ attoptions: ['n_distinct=10'] })
  })

  it('carries tenant_id on both sides of every foreign key of a tenant table, and never sets null or changes keys', async () => {
    const keys =
      await sql`select conname, confupdtype, conrelid::regclass::text as table, confrelid::regclass::text as to,
        (select attname from pg_attribute where attrelid = conrelid and attnum = conkey[1]) as near,
        (select attname from pg_attribute where attrelid = confrelid and attnum = confkey[1]) as far
      from pg_constraint where contype = 'f' and connamespace = 'filegraph'::regnamespace`
    expect(keys.length).toBeGreaterThan(5)
    for (const key of keys) {
      expect(key).toMatchObject({ confupdtype: 'a' })
      const far = key['to'] === 'tenants' ? 'id' : 'tenant_id'
      if (tenantTableNames.has(String(key['table']))) expect(key).toMatchObject({ near: 'tenant_id', far })
    }
  })

  it('has an explicit action on delete for every foreign key: RESTRICT, or CASCADE where it is listed', async () => {
    const cascades = ['sessions_user_id', 'user_devices_user', 'user_tenants_user']
    const keys = await sql`select conname as name, confdeltype as on_delete from pg_constraint
      where contype = 'f' and connamespace = 'filegraph'::regnamespace order by 1`
    expect(keys.filter((key) => key['on_delete'] === 'c').map((key) => key['name'])).toEqual(cascades)
    expect(keys.filter((key) => !['r', 'c'].includes(String(key['on_delete'])))).toEqual([])
  })

  it('has a foreign key on every column with the name of one, and a reason for each exception', async () => {
    const reasons: Readonly<Record<string, string>> = {
      'attachments.owner_id': 'of a row of the host application',
      'audit_log.request_id': 'of a request, not of a row',
      'audit_log.subject_id': 'of a row of any table, which may be gone',
      'events.subject_id': 'of a row of any table, which may be gone',
      'orphan_objects.tenant_id': 'of a prefix in the bucket, whose tenant this database may not have',
      'uploads.blob_id': 'the intent outlives its bytes',
    }
    const without = await sql`select c.relname || '.' || a.attname as name from pg_attribute a
      join pg_class c on c.oid = a.attrelid and c.relkind = 'r' and c.relnamespace = 'filegraph'::regnamespace
      where a.attnum > 0 and not a.attisdropped and a.attname ~ '_id$' and not exists (
        select from pg_constraint k where k.conrelid = c.oid and k.contype = 'f' and a.attnum = any (k.conkey)) order by 1`
    expect(without.map((row) => row['name'])).toEqual(Object.keys(reasons))
  })

  it('has no column that could hold a URL', async () => {
    const names = await column<string>(
      sql`select table_name || '.' || column_name as name from information_schema.columns
          where table_schema = 'filegraph' and column_name ~* '(url|uri|href|link|location|signature)'`,
      'name',
    )
    expect(names).toEqual([])
  })

  it('names constraints, indexes and triggers in at most 50 bytes, none ending in a number', async () => {
    const names = await column<string>(
      sql`select conname as name from pg_constraint where connamespace = 'filegraph'::regnamespace and contype <> 'n'
          union select c.relname from pg_class c where c.relkind = 'i' and c.relnamespace = 'filegraph'::regnamespace
          union select tgname from pg_trigger where not tgisinternal`,
      'name',
    )
    expect(names.length).toBeGreaterThan(40)
    expect(names.filter((name) => Buffer.byteLength(name) > 50 || /_\d+$/.test(name))).toEqual([])
  })

  it('gives the application a role that owns nothing and cannot bypass row-level security', async () => {
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

  it('stores times in milliseconds, so that a cursor carries them without loss', async () => {
    const rows = await sql`select distinct datetime_precision from information_schema.columns
      where table_schema = 'filegraph' and data_type like 'timestamp%'`
    expect(rows).toEqual([{ datetime_precision: 3 }])
  })
})

describe('the functions for host applications', () => {
  const functions = () => sql<
    { name: string; definer: boolean; settings: string[] | null; owner: string; callers: string[] }[]
  >`select p.proname as name, p.prosecdef as definer, p.proconfig as settings, p.proowner::regrole::text as owner,
      array(select a.grantee::regrole::text from aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) a
        where a.privilege_type = 'EXECUTE' and a.grantee <> p.proowner order by 1) as callers
    from pg_proc p where p.pronamespace = 'filegraph'::regnamespace order by 1`

  it('resolve names in the catalogue only, unless a statement names the schema', async () => {
    const all = await functions()
    expect(all.length).toBeGreaterThan(10)
    for (const { settings } of all) expect(settings).toEqual(['search_path=pg_catalog, pg_temp'])
  })

  it('can be called only by the roles that they are for', async () => {
    const callers = Object.fromEntries((await functions()).map((one) => [one.name, one.callers.join()]))
    expect(callers).toEqual({
      attach_as: 'filegraph_app',
      attach_file: 'filegraph_host',
      busy_tenants: '',
      change_from_host: 'filegraph_host',
      current_tenant: 'filegraph_functions',
      detach_as: 'filegraph_app',
      detach_file: 'filegraph_host',
      due_blobs: 'filegraph_app',
      due_by_schedule: 'filegraph_app',
      due_runs: 'filegraph_app',
      due_uploads: 'filegraph_app',
      due_verifications: 'filegraph_app',
      enqueue_job: 'filegraph_app',
      file_id: 'filegraph_functions',
      fold: 'filegraph_app,filegraph_functions',
      host_actor: '',
      new_id: 'filegraph_functions',
      record_changes: 'filegraph_app',
      record_file_change: 'filegraph_functions',
      refuse_change: '',
      replace_as: 'filegraph_app',
      replace_attachment: 'filegraph_host',
      search_patterns: 'filegraph_app',
      set_tenant: 'filegraph_app,filegraph_host',
      set_tenant_for_key: 'filegraph_app',
    })
  })

  it('run as a role that is subject to row-level security, except the questions of the schedule and the queue', async () => {
    const owner = (await sql`select current_user as name`)[0]?.['name']
    const definers = (await functions()).filter((one) => one.definer).map((one) => [one.name, one.owner])
    expect(Object.fromEntries(definers)).toEqual({
      attach_as: 'filegraph_functions',
      change_from_host: 'filegraph_functions',
      detach_as: 'filegraph_functions',
      due_blobs: 'filegraph_schedule',
      due_by_schedule: 'filegraph_schedule',
      due_runs: 'filegraph_schedule',
      due_uploads: 'filegraph_schedule',
      due_verifications: 'filegraph_schedule',
      enqueue_job: owner,
      host_actor: 'filegraph_functions',
      record_changes: 'filegraph_functions',
      replace_as: 'filegraph_functions',
    })
    const roles =
      await sql`select from pg_roles where rolname in ('filegraph_functions', 'filegraph_host', 'filegraph_schedule')
      and not (rolsuper or rolbypassrls or rolcreaterole or rolcreatedb or rolcanlogin or rolreplication)`
    expect(roles).toHaveLength(3)
    expect(
      await sql`select from pg_auth_members
      where member in ('filegraph_functions'::regrole, 'filegraph_host'::regrole, 'filegraph_schedule'::regrole)`,
    ).toHaveLength(0)
  })

  it('own nothing, and their role can create nothing beside them', async () => {
    expect(
      await sql`select from pg_class where relowner in ('filegraph_functions'::regrole, 'filegraph_host'::regrole, 'filegraph_schedule'::regrole)`,
    ).toHaveLength(0)
    const may =
      await sql`select nspname from pg_namespace, (values ('filegraph_functions'), ('filegraph_host'), ('filegraph_schedule')) r(name)
      where nspname in ('filegraph', 'public', 'drizzle') and has_schema_privilege(r.name, oid, 'CREATE')`
    expect(may).toEqual([])
  })

  it('use only these columns; a host application has no access to any', async () => {
    const granted = await sql`select c.relname || ' ' || lower(p.privilege) || case
          when has_table_privilege(r.name, c.oid, p.privilege) then ''
          else ' ' || (select string_agg(a.attname, ' ' order by a.attname) from pg_attribute a where a.attrelid = c.oid
            and a.attnum > 0 and has_column_privilege(r.name, c.oid, a.attnum, p.privilege)) end as what, r.name
      from pg_class c, (values ('filegraph_functions'), ('filegraph_host'), ('filegraph_schedule')) r(name),
        (values ('SELECT'), ('INSERT'), ('UPDATE'), ('REFERENCES')) p(privilege)
      where c.relkind in ('r', 'v', 'S') and c.relnamespace::regnamespace::text in ('public', 'drizzle', 'filegraph')
        and c.relkind <> 'S' and has_any_column_privilege(r.name, c.oid, p.privilege)
      union all select c.relname || ' ' || lower(p.privilege), r.name
      from pg_class c, (values ('filegraph_functions'), ('filegraph_host'), ('filegraph_schedule')) r(name),
        (values ('DELETE'), ('TRUNCATE'), ('TRIGGER')) p(privilege)
      where c.relkind in ('r', 'v') and c.relnamespace::regnamespace::text in ('public', 'drizzle', 'filegraph')
        and has_table_privilege(r.name, c.oid, p.privilege) order by 1`
    expect(granted.filter((row) => row['name'] === 'filegraph_host')).toEqual([])
    expect(granted.filter((row) => row['name'] === 'filegraph_schedule').map((row) => row['what'])).toEqual([
      'blobs select deleting_since purge_claimed_until purge_not_before quarantined_at sha256 status tenant_id verified_at',
      'cleanup_runs select heartbeat_at kind requested_by state tenant_id',
      'sweep_schedule select due_at kind not_before tenant_id',
      'uploads select expires_at state tenant_id',
    ])
    expect(granted.filter((row) => row['name'] === 'filegraph_functions').map((row) => row['what'])).toEqual([
      'attachments delete',
      'attachments insert',
      'attachments select',
      'audit_log insert',
      'events insert',
      'files select',
      'files update attachment_count soft_deleted_at soft_deleted_by updated_at',
      'principals insert',
      'principals select',
      'tenant_usage select',
      'tenant_usage update file_count journal_seq reserved_bytes stored_bytes trashed_count version_count',
    ])
  })
})

describe('history', () => {
  const asApp = () =>
    postgres(database.url, {
      max: 1,
      connection: { role: database.appRole, search_path: 'filegraph' },
      onnotice: () => undefined,
    })

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
      await tx`insert into tenants (id, slug, name, max_file_bytes, trash_days, intent_lifetime_seconds, download_max_seconds, created_at)
        values (${tenant}, 'x', 'x', 1, 1, 1, 1, ${now})`
      await tx`insert into principals values (${tenant}, ${tenant}, 'SYSTEM', 'x', 'x', null, ${now})`
      await tx`insert into audit_log (tenant_id, id, seq, at, actor_id, action, subject_type, subject_id, payload)
        values (${tenant}, ${tenant}, 1, ${now}, ${tenant}, 'x', 'x', ${tenant}, '{}')`
      await tx`insert into events (tenant_id, id, seq, type, subject_type, subject_id, payload, created_at)
        values (${tenant}, ${tenant}, 1, 'y', 'x', ${tenant}, '{}', ${now})`
      await tx`insert into blobs (tenant_id, id, object_key, status, refcount, byte_size, content_type, created_at)
        values (${tenant}, ${tenant}, ${`org/${tenant}/files/${tenant}.bin`}, 'ready', 1, 0, 'a/b', ${now})`
      await tx`insert into files (tenant_id, id, original_file_name, content_type, byte_size, current_version, uploaded_by, uploaded_at, updated_at)
        values (${tenant}, ${tenant}, 'a', 'a/b', 0, 1, ${tenant}, ${now}, ${now})`
      await tx`insert into file_versions values (${tenant}, ${tenant}, 1, ${tenant}, 'a', 'a/b', 0, ${tenant}, ${now})`
      await tx.unsafe(statement)
    })
    await expect(attempt).rejects.toMatchObject({ code: '23001' })
  })

  it('lets an event be marked as published, and nothing else about it', async () => {
    const app = asApp()
    await expect(app`update events set type = 'x'`).rejects.toMatchObject({ code: '42501' })
    await app`update events set published_at = now()`
    await app.end()
  })
})
