import postgres from 'postgres'
import { findDifferences } from '../../database/applyPrivileges.ts'
import { usualSchema } from '../../database/databaseAddress.ts'
import { knownMigrations } from '../../database/migrate.ts'
import { appRole } from '../../database/roles.ts'
import { driverOptions, queueDriverOptions, Servers } from '../../database/servers.ts'
import { openTenantDatabase } from '../../database/tenantDatabase.ts'
import { jobSchema, openJobPool } from '../../jobs/jobQueue.ts'
import { pendingMigrations } from '../../run/readiness.ts'
import type { Addresses } from '../../run/openBackends.ts'
import { sentenceFor } from '../sentenceFor.ts'
import { quietLogger } from '../terminal.ts'
import { type Check, missing, ok, warning } from './check.ts'

const oldestServer = 150_000
const migrateCommand = 'Run: npm run -s filegraph -- migrate'

/** Checks the database with the login of the application: its version, its roles and its migrations. */
export async function inspectDatabase({ databaseUrl, schema = usualSchema }: Addresses): Promise<Check[]> {
  const { connection, ...address } = driverOptions(new Servers(databaseUrl))
  const client = postgres({
    ...address,
    max: 1,
    onnotice: () => undefined,
    idle_timeout: 5,
    connection: { ...connection, search_path: schema },
  })
  try {
    const version = await inspectVersion(client)
    return [
      version,
      ...(await inspectRole(client)),
      await inspectMigrations(client),
      await inspectPrivileges(client, schema),
      await inspectJobQueue(client),
    ]
  } catch (error) {
    return [missing('database', sentenceFor(error), 'Start the database, or correct DATABASE_URL.')]
  } finally {
    await client.end({ timeout: 1 })
  }
}

async function inspectVersion(client: postgres.Sql): Promise<Check> {
  const [row] = await client<{ number: number; name: string }[]>`
    select current_setting('server_version_num')::int as number, current_setting('server_version') as name`
  if (row && row.number >= oldestServer) return ok('database', `PostgreSQL ${row.name} answers`)
  return missing('database', `PostgreSQL ${row?.name} is too old`, 'Use PostgreSQL 15 or newer.')
}

async function inspectRole(client: postgres.Sql): Promise<Check[]> {
  const [role] = await client<{ isFree: boolean; owned: number; isMember: boolean; loginIsFree: boolean }[]>`
    select
      r.rolsuper or r.rolbypassrls as "isFree",
      (select count(*)::int from pg_shdepend d where d.refobjid = r.oid and d.deptype = 'o') as owned,
      pg_has_role(current_user, r.oid, 'member') as "isMember",
      (select s.rolsuper or s.rolbypassrls from pg_roles s where s.rolname = current_user) as "loginIsFree"
    from pg_roles r where r.rolname = ${appRole}`
  const name = 'role'
  if (!role) return [missing(name, `The role ${appRole} does not exist`, migrateCommand)]
  if (role.isFree) {
    const remedy = `Run as a superuser: alter role ${appRole} nosuperuser nobypassrls`
    return [missing(name, `The role ${appRole} is not bound by row-level security`, remedy)]
  }
  if (role.owned > 0) {
    const remedy = `Give them to the role that migrates: reassign owned by ${appRole} to …`
    return [missing(name, `The role ${appRole} owns ${role.owned} objects, and owners are not bound`, remedy)]
  }
  if (!role.isMember) {
    const remedy = `${migrateCommand}, or as its administrator: grant ${appRole} to <the login of DATABASE_URL>`
    return [missing(name, `The login of DATABASE_URL may not take the role ${appRole}`, remedy)]
  }
  const bound = ok(name, `${appRole} owns nothing and row-level security binds it`)
  if (!role.loginIsFree) return [bound]
  const remedy = 'Let DATABASE_URL name an ordinary login, and DATABASE_MIGRATION_URL the one that may change tables.'
  return [bound, warning('login', 'The login itself is a superuser or bypasses row-level security', remedy)]
}

async function inspectMigrations(client: postgres.Sql): Promise<Check> {
  const name = 'migrations'
  const [journal] = await client`select to_regclass('__drizzle_migrations') as found`
  if (!journal?.['found']) return missing(name, 'None has run', migrateCommand)
  const rows = await client<{ name: string }[]>`select name from __drizzle_migrations`
  const applied = new Set(rows.map((row) => row.name))
  const known = knownMigrations()
  const pending = known.filter((migration) => !applied.has(migration))
  if (pending.length > 0) return missing(name, `${pending.length} of ${known.length} have not run`, migrateCommand)
  if (applied.size <= known.length) return ok(name, `All ${known.length} have run`)
  return warning(name, 'The database is newer than this version of Filegraph', 'Update Filegraph.')
}

/** After a restore into a server without our roles, tables are complete and nobody may use them. */
async function inspectPrivileges(client: postgres.Sql, schema: string): Promise<Check> {
  const name = 'privileges'
  const [first, ...others] = await findDifferences(client, schema)
  if (first === undefined) return ok(name, 'Owners and privileges are as this version declares them')
  return missing(name, `${others.length + 1} differ. The first: ${first}`, migrateCommand)
}

async function inspectJobQueue(client: postgres.Sql): Promise<Check> {
  const [queue] = await client`select from pg_namespace where nspname = ${jobSchema}`
  return queue
    ? ok('job queue', 'Its tables are there')
    : missing('job queue', 'Its tables are missing', migrateCommand)
}

/**
 * Opens a connection with all settings of the application, and one with those of the job queue. A plain connection
 * would not be enough: a pooler can refuse the settings, and the two drivers can differ about TLS.
 */
export async function inspectConnections({ databaseUrl, ownerUrl, directUrl, schema }: Addresses): Promise<Check[]> {
  return Promise.all([
    attempt('connection of the application', 'DATABASE_URL', () => openAsApplication(databaseUrl, schema)),
    attempt('connection of the job queue', 'DATABASE_DIRECT_URL, or DATABASE_MIGRATION_URL', () =>
      openAsQueue(directUrl ?? ownerUrl),
    ),
  ])
}

async function attempt(name: string, variable: string, open: () => Promise<unknown>): Promise<Check> {
  try {
    await open()
    return ok(name, 'It can be opened with all its settings')
  } catch (error) {
    return missing(name, sentenceFor(error), `Correct ${variable}. Behind PgBouncer, name PostgreSQL itself.`)
  }
}

async function openAsApplication(url: string, schema: string | undefined): Promise<void> {
  const database = openTenantDatabase({ url, schema, size: 1, applicationName: 'filegraph doctor' })
  try {
    // Twice, because a pooler can give each transaction another connection, which lacks the statement that the first
    // prepared.
    for (const _ of [1, 2]) await pendingMigrations(database)
  } finally {
    await database.close()
  }
}

async function openAsQueue(url: string): Promise<void> {
  const pool = openJobPool(queueDriverOptions(new Servers(url)), 1, quietLogger)
  try {
    await pool.query('select 1')
  } finally {
    await pool.end()
  }
}
