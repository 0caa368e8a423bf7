import { fileURLToPath } from 'node:url'
import { readMigrationFiles } from 'drizzle-orm/migrator'
import postgres from 'postgres'
import { applyPrivileges } from './applyPrivileges.ts'
import { backupRole, letBackupRead } from './backup/backupRole.ts'
import { onlyRow } from './onlyRow.ts'
import { usualSchema } from './databaseAddress.ts'
import { moveFromPublic } from './moveFromPublic.ts'
import { appRole, functionsRole, ourRoles, scheduleRole } from './roles.ts'
import { runMigrations } from './runMigrations.ts'
import { driverOptions, Servers } from './servers.ts'

const migrationsFolder = fileURLToPath(new URL('../../../drizzle', import.meta.url))

/** An arbitrary constant that other users of the database are unlikely to lock. */
const migrationLock = 4_951_023_017

/** Holds the names of the applied migrations, in the schema of the tables. */
export const journalTable = '__drizzle_migrations'

export interface MigrateOptions {
  /** The logins of the application. */
  readonly members?: readonly string[]
  /** The schema of the tables and functions. Default: `filegraph`. */
  readonly schema?: string
  /** Run the migrations up to this one. Default: all. Throws if a later one has already run. */
  readonly upTo?: string
  /** Runs in one transaction after the migrations. */
  readonly afterwards?: (tx: postgres.TransactionSql, schema: string) => Promise<void>
}

/**
 * Runs all pending migrations. Any number of processes can call it at once: one works, and the others wait and find
 * nothing to do. Creates its schema, moves tables of earlier versions into it, makes owners and privileges as declared,
 * and changes nothing in other schemas.
 *
 * `url` must name a role that can create schemas, tables and roles.
 */
export async function migrate(url: string, options: MigrateOptions = {}): Promise<void> {
  const { members = [], schema = usualSchema, upTo, afterwards } = options
  const { connection, ...address } = driverOptions(new Servers(url))
  const client = postgres({
    ...address,
    max: 1,
    onnotice: () => undefined,
    // Without this, a login with the name of a schema would use that schema first.
    connection: { ...connection, search_path: schema },
  })
  try {
    // A session lock, so that it is released if the process dies.
    await client`select pg_advisory_lock(${migrationLock})`
    await ensureRoles(client)
    await moveFromPublic(client, {
      schema,
      migrations: readMigrationFiles({ migrationsFolder }),
      journalTable,
      functionsRole,
    })
    await ensureSchema(client, schema)
    const all = readMigrationFiles({ migrationsFolder })
    // The names begin with their time.
    const migrations = all.filter(({ name }) => upTo === undefined || name <= upTo)
    await runMigrations(client, { schema, journalTable, migrations })
    if (upTo !== undefined) await refuseLater(client, schema, upTo)
    // The declaration is about the newest tables.
    else await applyPrivileges(client, schema)
    await client.begin(async (tx) => {
      await letBackupRead(tx, schema)
      await afterwards?.(tx, schema)
    })
    for (const member of members) await grantRoles(client, [appRole], member)
  } finally {
    await client.end({ timeout: 5 })
  }
}

/** The names of this build's migrations, oldest first. */
export function knownMigrations(): string[] {
  return readMigrationFiles({ migrationsFolder }).map((migration) => migration.name)
}

async function ensureSchema(client: postgres.Sql, schema: string): Promise<void> {
  const [named] = await client<{ isPlain: boolean }[]>`select quote_ident(${schema}) = ${schema} as "isPlain"`
  if (!named?.isPlain) throw new Error(`DATABASE_SCHEMA=${schema} is a word of SQL. Choose another name.`)
  await client.unsafe(`create schema if not exists ${schema}`)
  await client.unsafe(`create table if not exists ${schema}.${journalTable} (
    id serial primary key, hash text not null, created_at bigint, name text, applied_at timestamptz(3) default now())`)
}

async function refuseLater(client: postgres.Sql, schema: string, upTo: string): Promise<void> {
  const [later] = await client.unsafe(`select name from ${schema}.${journalTable} where name > $1`, [upTo])
  if (later) throw new Error(`The database already has the migration ${later['name']}, which is later than ${upTo}.`)
}

async function ensureRoles(client: postgres.Sql): Promise<void> {
  for (const role of [...ourRoles, backupRole]) await ensureRole(client, role)
  const [self] = await client<{ name: string }[]>`select current_user as name`
  // Only a member of a role can transfer ownership to it.
  if (self) await grantRoles(client, [appRole, functionsRole, scheduleRole, backupRole], self.name)
}

/**
 * Creates a role. Roles belong to the whole cluster, so the migration of another database can create the same one at
 * the same time.
 */
async function ensureRole(client: postgres.Sql, role: string): Promise<void> {
  await client.unsafe(`do $$ begin
    if not exists (select from pg_roles where rolname = '${role}') then
      create role ${role} nologin nosuperuser nocreatedb nocreaterole nobypassrls;
    end if;
  exception when duplicate_object or unique_violation then null;
  end $$`)
}

async function grantRoles(client: postgres.Sql, roles: readonly string[], member: string): Promise<void> {
  try {
    for (const role of roles) await grantUnlessMember(client, role, member)
  } catch (error) {
    // 42704: the role does not exist.
    if (error instanceof postgres.PostgresError && error.code === '42704') {
      throw new Error(`The database has no login "${member}", which DATABASE_URL names.`, { cause: error })
    }
    // 42501: another login created the role, and only it can grant the role.
    if (!(error instanceof postgres.PostgresError) || error.code !== '42501') throw error
    const all = roles.join(', ')
    const remedy = `Run as an administrator of the database: grant ${all} to "${member}"`
    throw new Error(`This login may not let "${member}" take the role ${roles.join(' or ')}. ${remedy}`, {
      cause: error,
    })
  }
}

/** Since PostgreSQL 16, the creator of a role is a member with ADMIN OPTION but without SET. */
async function grantUnlessMember(client: postgres.Sql, role: string, member: string): Promise<void> {
  const asked = await client<{ version: number }[]>`select current_setting('server_version_num')::int as version`
  const privilege = onlyRow(asked).version >= 160_000 ? 'set' : 'member'
  await client.unsafe(`do $$ begin
    if not exists (
      select from pg_auth_members m
      where m.roleid = '${role}'::regrole and m.member = ${quoteLiteral(member)}::regrole
        and pg_has_role(${quoteLiteral(member)}, '${role}', '${privilege}')
    ) then
      execute format('grant ${role} to %I', ${quoteLiteral(member)}::text);
    end if;
  exception when unique_violation then null;
  end $$`)
}

const quoteLiteral = (text: string) => `'${text.replaceAll("'", "''")}'`
