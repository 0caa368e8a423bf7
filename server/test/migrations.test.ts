import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { sql } from 'drizzle-orm'
import postgres from 'postgres'
import { expect, it } from 'vitest'
import { knownMigrations, migrate } from '../src/database/migrate.ts'
import { openTenantDatabase } from '../src/database/tenantDatabase.ts'
import { startTestPostgres } from '../src/embedded/postgres/startTestPostgres.ts'
import { createEmptyDatabase } from './testDatabase.ts'

const applied = async (url: string) => {
  const client = postgres(url, { max: 1, onnotice: () => undefined })
  const rows = await client`select name from filegraph.__drizzle_migrations order by id`
  const tables =
    await client`select count(*)::int as count from pg_class where relkind = 'r' and relnamespace = 'filegraph'::regnamespace`
  await client.end()
  return { names: rows.map((row) => row['name']), tables: tables[0]?.['count'] }
}

it('migrates an empty database, and a second run finds nothing to do', async () => {
  const database = await createEmptyDatabase()
  await migrate(database.superuserUrl)
  const once = await applied(database.superuserUrl)
  expect(once.names).toEqual(knownMigrations())
  await migrate(database.superuserUrl)
  expect(await applied(database.superuserUrl)).toEqual(once)
  await database.drop()
})

it('is safe when twenty start at once in one process', async () => {
  const database = await createEmptyDatabase()
  await Promise.all(Array.from({ length: 20 }, () => migrate(database.superuserUrl)))
  expect((await applied(database.superuserUrl)).names).toEqual(knownMigrations())
  await database.drop()
})

it(
  'is safe when several processes start at once on several databases of one cluster',
  { timeout: 60_000 },
  async () => {
    const databases = await Promise.all([createEmptyDatabase(), createEmptyDatabase()])
    const script = `const { migrate } = await import(${JSON.stringify(new URL('../src/database/migrate.ts', import.meta.url).href)}); await migrate(process.argv[1])`
    const codes = await Promise.all(
      Array.from({ length: 6 }, (_, at) => {
        const url = databases[at % 2]?.superuserUrl ?? ''
        const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script, url], {
          cwd: new URL('..', import.meta.url),
          stdio: 'inherit',
        })
        return new Promise((resolve) => child.once('exit', resolve))
      }),
    )
    expect(codes).toEqual([0, 0, 0, 0, 0, 0])
    for (const database of databases) {
      expect((await applied(database.superuserUrl)).names).toEqual(knownMigrations())
      await database.drop()
    }
  },
)

it('tells the administrator what to do when its login may not grant the role to the application', async () => {
  const database = await createEmptyDatabase()
  const owner = `filegraph_owner_${process.pid}`
  const administrator = postgres(database.superuserUrl, { max: 1, onnotice: () => undefined })
  await migrate(database.superuserUrl)
  await administrator.unsafe(`create role ${owner} login createrole password 'test'`)
  const url = new URL(database.superuserUrl)
  Object.assign(url, { username: owner, password: 'test' })
  await expect(migrate(url.href)).rejects.toThrow(
    `grant filegraph_app, filegraph_functions, filegraph_schedule, filegraph_backup to "${owner}"`,
  )
  await administrator.unsafe(`drop role ${owner}`)
  await administrator.end()
  await database.drop()
})

/** A separate cluster, in which a login that is not a superuser owns an empty database, as on a managed server. */
async function startManagedPostgres() {
  const server = await startTestPostgres()
  const administrator = postgres(server.url, { max: 1, onnotice: () => undefined })
  const urlOf = (user: string, database: string) =>
    Object.assign(new URL(server.url), { username: user, password: 'test', pathname: `/${database}` }).href
  const addOwner = async (owner: string) => {
    await administrator.unsafe(`create role ${owner} login createrole password 'test'`)
    await administrator.unsafe(`create database ${owner} owner ${owner}`)
    return urlOf(owner, owner)
  }
  return {
    administrator,
    urlOf,
    addOwner,
    stop: async () => {
      await administrator.end()
      await server.stop()
    },
  }
}

it(
  'works for a login that owns its database and can create roles, and is not a superuser',
  { timeout: 60_000 },
  async () => {
    const managed = await startManagedPostgres()
    try {
      const url = await managed.addOwner('first_owner')
      await managed.administrator`create role first_app login password 'test'`
      await migrate(url, { members: ['first_app'] })
      await migrate(url, { members: ['first_app'] })
      expect((await applied(url)).names).toEqual(knownMigrations())
      const app = postgres(managed.urlOf('first_app', 'first_owner'), {
        max: 1,
        connection: { role: 'filegraph_app', search_path: 'filegraph' },
      })
      const outcome = app.begin(async (tx) => {
        await tx`select set_tenant('01936b1e-0000-7000-8000-000000000001')`
        return tx`select filegraph.attach_as(null, '{}', now(), null, 'a', 'b', 'c') as outcome`
      })
      expect(await outcome).toEqual([{ outcome: 'NO_FILE' }])
      await app.end()

      // The roles are there now, made by the first: an administrator has to let the second one take them.
      const second = await managed.addOwner('second_owner')
      const refusal: unknown = await migrate(second).catch((error: unknown) => error)
      const remedy = 'grant filegraph_app, filegraph_functions, filegraph_schedule, filegraph_backup to "second_owner"'
      expect(refusal).toMatchObject({ message: expect.stringContaining(remedy) })
      await managed.administrator.unsafe(remedy)
      await migrate(second)
      expect((await applied(second)).names).toEqual(knownMigrations())
    } finally {
      await managed.stop()
    }
  },
)

it('creates and finds everything in its schema, even for a login with the name of a schema', async () => {
  const database = await createEmptyDatabase()
  const superuser = postgres(database.superuserUrl, { max: 1, onnotice: () => undefined })
  await superuser`create role decoy superuser login password 'test'`
  await superuser`create schema decoy`
  const url = Object.assign(new URL(database.superuserUrl), { username: 'decoy', password: 'test' }).href
  const app = openTenantDatabase({ url, size: 1, applicationName: 'test' })
  try {
    await migrate(url)
    const misplaced = await superuser`select proname as name from pg_proc where pronamespace = 'decoy'::regnamespace
      union select relname from pg_class where relkind = 'r' and relnamespace = 'decoy'::regnamespace`
    expect(misplaced).toEqual([])
    const tenant = randomUUID()
    const setting = await app.readOnce(tenant, (tx) => tx.db.execute(sql`select current_setting('app.tenant_id') as t`))
    expect(setting).toEqual([{ t: tenant }])
  } finally {
    await app.close()
    await superuser`reassign owned by decoy to current_user`
    await superuser`drop owned by decoy`
    await superuser`drop role decoy`
    await superuser.end()
    await database.drop()
  }
})

it('stores files of earlier versions under the stored name of their media type', { timeout: 60_000 }, async () => {
  const managed = await startManagedPostgres()
  try {
    const url = await managed.addOwner('renaming_owner')
    await migrate(url)
    const superuser = postgres(Object.assign(new URL(url), { username: 'postgres' }).href, {
      max: 1,
      connection: { search_path: 'filegraph' },
    })
    await superuser`set session_replication_role = replica`
    const [tenant, other] = [randomUUID(), randomUUID()]
    const insert = async (tenantId: string, type: string) => {
      const id = randomUUID()
      await superuser`insert into files (tenant_id, id, original_file_name, content_type, byte_size, current_version, uploaded_by,
        uploaded_at, updated_at) values (${tenantId}, ${id}, 'a', ${type}, 1, 1, ${tenantId}, now(), now())`
      await superuser`insert into file_versions (tenant_id, file_id, version, blob_id, original_file_name, content_type, byte_size,
        created_by, created_at) values (${tenantId}, ${id}, 1, ${id}, 'a', ${type}, 1, ${tenantId}, now())`
    }
    await insert(tenant, 'application/x-zip-compressed')
    await insert(other, 'text/x-csv; charset=iso-8859-1')
    await insert(other, 'image/png')
    await insert(other, 'application/x-font-ttf')
    await superuser`set session_replication_role = origin`
    await superuser`delete from filegraph.__drizzle_migrations where name like '%stored_media_types'`
    await migrate(url)
    const expected = ['application/zip', 'font/ttf', 'image/png', 'text/csv; charset=iso-8859-1']
    const files = await superuser`select content_type, media_class from files order by 1`
    const versions = await superuser`select content_type from file_versions order by 1`
    expect(files.map((row) => row['content_type'])).toEqual(expected)
    expect(files.map((row) => row['media_class'])).toEqual(['application', 'font', 'image', 'text'])
    expect(versions.map((row) => row['content_type'])).toEqual(expected)
    await expect(superuser`update file_versions set byte_size = 2`).rejects.toThrow('its rows are written once')
    const forced =
      await superuser`select relname from pg_class where relforcerowsecurity and relname in ('files', 'file_versions')`
    expect(forced).toHaveLength(2)
    await superuser.end()
  } finally {
    await managed.stop()
  }
})
