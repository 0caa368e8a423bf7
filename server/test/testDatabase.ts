import { randomBytes } from 'node:crypto'
import postgres from 'postgres'
import { inject } from 'vitest'
import { migrate } from '../src/database/migrate.ts'
import { appRole } from '../src/database/roles.ts'

export interface TestDatabase {
  /** A role that may do everything. */
  readonly superuserUrl: string
  /** The login that the application uses; its connections take the application's role. */
  readonly url: string
  readonly appRole: string
  drop(): Promise<void>
}

// Tests look at rows past the product, by the names of the tables alone.
const searchPath = 'filegraph, public'
const templateName = 'filegraph_template'
const login = 'filegraph_test_login'

/** A separate migrated database, copied from a template in some tens of milliseconds. */
export async function createTestDatabase(): Promise<TestDatabase> {
  return withMaintenance(async (maintenance) => {
    await ensureTemplate(maintenance)
    const name = `filegraph_test_${randomBytes(6).toString('hex')}`
    await maintenance.unsafe(`create database ${name} template ${templateName}`)
    return {
      superuserUrl: databaseUrl(name),
      url: databaseUrl(name, login),
      appRole,
      drop: async () =>
        withMaintenance((again) => again.unsafe(`drop database if exists ${name} with (force)`)).then(() => undefined),
    }
  })
}

/** The row of a tenant and nothing else of it, where it is not there yet. */
export const plantTenant = (superuser: postgres.Sql, id: string): Promise<unknown> =>
  superuser`insert into tenants (id, slug, name, max_file_bytes, trash_days, intent_lifetime_seconds, download_max_seconds, created_at)
    values (${id}, ${id}, 'planted', 1, 1, 1, 1, now()) on conflict do nothing`

/** An empty database without a single migration. */
export async function createEmptyDatabase(): Promise<Omit<TestDatabase, 'appRole'>> {
  return withMaintenance(async (maintenance) => {
    const name = `filegraph_empty_${randomBytes(6).toString('hex')}`
    await maintenance.unsafe(`create database ${name}`)
    return {
      superuserUrl: databaseUrl(name),
      url: databaseUrl(name, login),
      drop: async () =>
        withMaintenance((again) => again.unsafe(`drop database if exists ${name} with (force)`)).then(() => undefined),
    }
  })
}

/** Test files run side by side: the first one makes the template, the others wait for it. */
async function ensureTemplate(maintenance: postgres.Sql): Promise<void> {
  await maintenance`select pg_advisory_lock(815)`
  try {
    const [found] = await maintenance`select from pg_database where datname = ${templateName} and datistemplate`
    if (found) return
    await maintenance.unsafe(`drop database if exists ${templateName} with (force)`)
    await maintenance.unsafe(`create database ${templateName}`)
    const [role] = await maintenance`select from pg_roles where rolname = ${login}`
    if (!role) await maintenance.unsafe(`create role ${login} login password 'test'`)
    await maintenance.unsafe(`alter role current_user set search_path = ${searchPath}`)
    await migrate(databaseUrl(templateName), { members: [login] })
    await maintenance.unsafe(`alter database ${templateName} is_template true`)
  } finally {
    await maintenance`select pg_advisory_unlock(815)`
  }
}

async function withMaintenance<T>(work: (maintenance: postgres.Sql) => Promise<T>): Promise<T> {
  const maintenance = postgres(inject('postgresUrl'), { max: 1, onnotice: () => undefined })
  try {
    return await work(maintenance)
  } finally {
    await maintenance.end()
  }
}

function databaseUrl(name: string, user?: string): string {
  const url = new URL(inject('postgresUrl'))
  url.pathname = `/${name}`
  if (user !== undefined) {
    url.username = user
    url.password = 'test'
  }
  return url.href
}
