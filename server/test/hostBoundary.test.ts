import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { globalId } from '../src/graphql/globalId.ts'
import { type HostApplication, startHostApplication } from './hostApplication.ts'
import { type Data, startTestService, type TestService, type TestTenant, uploadFile } from './testService.ts'

let service: TestService
let mine: TestTenant
let theirs: TestTenant
let host: HostApplication
let superuser: postgres.Sql
let myFile: Data
let theirFile: Data

beforeAll(async () => {
  service = await startTestService()
  mine = await service.createTenant()
  theirs = await service.createTenant()
  myFile = await uploadFile(service, mine.member)
  theirFile = await uploadFile(service, theirs.member)
  host = await startHostApplication(service)
  superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
})

afterAll(async () => {
  await superuser.end()
  await host.close()
  await service.close()
})

const plain = (id: string) => Buffer.from(id, 'base64url').toString().slice('File:'.length)
const noSuchFile = { code: 'P0002', message: 'There is no such file' }
const verbs = ['attach_file', 'detach_file', 'replace_attachment'] as const

const call = (tx: postgres.ISql, verb: string, fileId: string, owner: (string | null)[] = ['invoice', '1', 'scan']) =>
  tx.unsafe(`select filegraph.${verb}($1, $2, $3, $4) as done`, [fileId, ...owner] as string[])

const countOf = async (id: string) =>
  (await superuser`select attachment_count as n from files where id = ${plain(id)}`)[0]?.['n']

describe.each(verbs)('%s', (verb) => {
  it('finds no foreign, missing or malformed file, with the same message', async () => {
    const nowhere = [
      theirFile.id,
      plain(theirFile.id),
      globalId('File', randomUUID()),
      randomUUID(),
      globalId('Tenant', plain(myFile.id)),
      globalId('File', 'x'.repeat(36)),
      Buffer.from('ff'.repeat(41), 'hex').toString('base64url'),
      'junk',
      '',
      `${plain(myFile.id)} `,
      `${plain(myFile.id)}\n`,
      '%',
    ]
    for (const id of nowhere) {
      const attempt = host.inTenant(mine.id, (tx) => call(tx, verb, id))
      await expect(attempt).rejects.toMatchObject(noSuchFile)
    }
    const none = host.inTenant(mine.id, (tx) => tx.unsafe(`select filegraph.${verb}(null, 'invoice', '1')`))
    await expect(none).rejects.toMatchObject(noSuchFile)
    expect([await countOf(myFile.id), await countOf(theirFile.id)]).toEqual([0, 0])
  })

  it('requires the tenant before anything else', async () => {
    const message = 'No tenant is set: call filegraph.set_tenant first, in this transaction'
    await expect(call(host.sql, verb, myFile.id)).rejects.toMatchObject({ code: '55000', message })
  })

  it.each([
    ['owner_type', ['', '1', 's']],
    ['owner_type', ['x'.repeat(101), '1', 's']],
    ['owner_type', ['a\nb', '1', 's']],
    ['owner_type', ['a\u202eb', '1', 's']],
    ['owner_type', [null, '1', 's']],
    ['owner_id', ['invoice', '', 's']],
    ['owner_id', ['invoice', '🎉'.repeat(201), 's']],
    ['owner_id', ['invoice', 'a\u0085b', 's']],
    ['owner_id', ['invoice', '\u2066a', 's']],
    ['owner_id', ['invoice', null, 's']],
    ['slot', ['invoice', '1', '']],
    ['slot', ['invoice', '1', 'x'.repeat(300)]],
    ['slot', ['invoice', '1', '\u007f']],
    ['slot', ['invoice', '1', 'a\u2029']],
    ['slot', ['invoice', '1', null]],
  ])('refuses an invalid %s: %j', async (what, owner) => {
    const attempt = host.inTenant(mine.id, (tx) => call(tx, verb, myFile.id, owner))
    await expect(attempt).rejects.toMatchObject({ code: '22023', message: expect.stringMatching(`^${what} has to be`) })
  })

  it('applies the tenant to a superuser too', async () => {
    const attempt = superuser.begin(async (tx) => {
      await tx`select filegraph.set_tenant(${mine.id})`
      await call(tx, verb, theirFile.id)
    })
    await expect(attempt).rejects.toMatchObject(noSuchFile)
  })
})

describe('the functions', () => {
  it('accept ids of the API and plain UUIDs, and an owner of 200 emoji', async () => {
    const file = await uploadFile(service, mine.member)
    const owner = ['🎉'.repeat(100), '🎉'.repeat(200), 'scan']
    const answers = await host.inTenant(mine.id, async (tx) => [
      await call(tx, 'attach_file', file.id, owner),
      await call(tx, 'attach_file', plain(file.id), owner),
      await call(tx, 'detach_file', plain(file.id), owner),
    ])
    expect(answers.map(([answer]) => answer?.['done'])).toEqual([true, false, true])
  })

  it('refuse a null tenant and a user id that cannot be displayed, and find no file in an unknown tenant', async () => {
    await expect(host.sql`select filegraph.set_tenant(null)`).rejects.toMatchObject({ code: '22004' })
    for (const user of ['a\u202eb', 'a\u200eb', 'a\nb', '\u0085'])
      await expect(host.sql`select filegraph.set_tenant(${mine.id}, ${user})`).rejects.toMatchObject({ code: '22023' })
    const attempt = host.inTenant(randomUUID(), (tx) => call(tx, 'attach_file', myFile.id))
    await expect(attempt).rejects.toMatchObject(noSuchFile)
    const strangers = await superuser`select count(*)::int as n from principals p
      where not exists (select from tenants t where t.id = p.tenant_id)`
    expect(strangers).toEqual([{ n: 0 }])
  })

  it('call nothing that a host application has created', async () => {
    const file = await uploadFile(service, mine.member)
    await host.sql.unsafe(`
      grant usage on schema shop to public;
      create function shop.date_trunc(text, timestamptz) returns timestamptz language plpgsql as $$ begin raise 'trapped'; end $$;
      create function shop.current_setting(text, boolean) returns text language plpgsql as $$ begin raise 'trapped'; end $$;
      create function shop.jsonb_strip_nulls(jsonb) returns jsonb language plpgsql as $$ begin raise 'trapped'; end $$;
      create function shop.same(uuid, uuid) returns boolean language plpgsql as $$ begin raise 'trapped'; end $$;
      create operator shop.= (leftarg = uuid, rightarg = uuid, function = shop.same);
      create table shop.files (like shop.invoices);
      create table shop.attachments (like shop.invoices)`)
    await host.inTenant(mine.id, async (tx) => {
      await tx`set local search_path = shop, pg_catalog, public`
      await expect(tx.savepoint((inner) => inner`select date_trunc('day', now())`)).rejects.toThrow('trapped')
      for (const name of ['files', 'attachments', 'principals', 'audit_log', 'events', 'tenant_usage']) {
        await tx.unsafe(`create temp table ${name} (tenant_id uuid, id uuid) on commit drop`)
      }
      expect(await call(tx, 'attach_file', file.id)).toEqual([{ done: true }])
      expect(await call(tx, 'replace_attachment', file.id, ['user', '1', 'a'])).toEqual([{ done: true }])
      expect(await call(tx, 'detach_file', file.id)).toEqual([{ done: true }])
    })
    expect(await countOf(file.id)).toBe(1)
  })
})

/** A column of each table that has no tenant_id. */
const keyOf: Readonly<Record<string, string>> = {
  installation: 'singleton',
  sessions: 'user_id',
  tenants: 'id',
  users: 'id',
}

describe('the login of a host application', () => {
  const tables = [
    'files',
    'attachments',
    'audit_log',
    'events',
    'blobs',
    'file_versions',
    'uploads',
    'principals',
    'tenants',
    'tenant_usage',
    'users',
    'sessions',
    'api_keys',
    'cleanup_runs',
    'sweep_schedule',
    'installation',
  ]

  it.each(tables)('can neither read nor change %s', async (table) => {
    for (const statement of [
      `select * from filegraph.${table}`,
      `insert into filegraph.${table} default values`,
      `update filegraph.${table} set ${keyOf[table] ?? 'tenant_id'} = null`,
      `delete from filegraph.${table}`,
      `truncate filegraph.${table}`,
    ]) {
      const attempt = host.inTenant(mine.id, (tx) => tx.unsafe(statement))
      await expect(attempt).rejects.toMatchObject({ code: '42501' })
    }
  })

  it.each([
    `filegraph.attach_as(null, null, now(), null, '', '', '')`,
    `filegraph.detach_as(null, null, now(), null, '', '', '')`,
    `filegraph.replace_as(null, null, now(), null, '', '', '')`,
    `filegraph.enqueue_job('delete_blobs', '{}', now(), null)`,
    `filegraph.host_actor(null, now())`,
    `filegraph.record_file_change(null, null, '{}', now(), '', null, '', '{}')`,
    `filegraph.current_tenant()`,
    `filegraph.set_tenant_for_key('${randomUUID()}', '${randomUUID()}', 'OWNER')`,
  ])('cannot call %s', async (expression) => {
    await expect(host.inTenant(mine.id, (tx) => tx.unsafe(`select ${expression}`))).rejects.toMatchObject({
      code: '42501',
    })
  })

  it.each(['filegraph_app', 'filegraph_functions', 'filegraph_schedule'])('cannot switch to %s', async (role) => {
    await expect(host.sql.unsafe(`set role ${role}`)).rejects.toMatchObject({ code: '42501' })
  })

  it('cannot create anything beside the functions', async () => {
    await expect(host.sql`create table filegraph.files (id int)`).rejects.toMatchObject({ code: '42501' })
  })
})
