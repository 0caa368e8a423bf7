import { sql } from 'drizzle-orm'
import { knownMigrations } from '../database/migrate.ts'
import { functionOwners } from '../database/privileges.ts'
import type { TenantDatabase } from '../database/tenantDatabase.ts'
import { readRefusal } from '../domain/installation/watchBucket.ts'
import type { BlobStore } from '../storage/blobStore.ts'

/** The state of each part that a request can need. */
export interface Readiness {
  readonly database: boolean
  /** False also if the application may not use the tables, as after a restore without its roles. */
  readonly migrations: boolean
  readonly bucket: boolean
  /** Whether sweeps may delete. `refused`: a person has to decide. `unknown`: the database does not answer. */
  readonly deletes: 'allowed' | 'refused' | 'unknown'
}

const patienceMs = 2_000

/** Checks all parts concurrently. A part that does not answer within 2 s counts as down. Never rejects. */
export async function readinessOf(backends: { database: TenantDatabase; blobs: BlobStore }): Promise<Readiness> {
  const [pending, usable, bucket, refusal] = await Promise.all([
    withinPatience(pendingMigrations(backends.database)),
    withinPatience(mayWork(backends.database)),
    withinPatience(backends.blobs.ping().then(() => true)),
    withinPatience(readRefusal(backends)),
  ])
  const deletes = refusal === undefined ? 'unknown' : refusal === null ? 'allowed' : 'refused'
  const migrations = pending === 0 && usable === true
  return { database: pending !== undefined, migrations, bucket: bucket === true, deletes }
}

const ownersOf = Object.entries(functionOwners)
  .flatMap(([role, names]) => names.map((name) => `('${name}', '${role}')`))
  .join(', ')

/** Tables that the role may not read, and functions that would run with the privileges of another role. */
const hindrances = sql.raw(`select (
  select count(*) from pg_class c where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
    and not has_table_privilege(c.oid, 'select')
) + (
  select count(*) from (values ${ownersOf}) as declared (name, owner)
    join pg_proc p on p.pronamespace = current_schema()::regnamespace and p.proname = declared.name
    join pg_roles r on r.oid = p.proowner
    where r.rolname <> declared.owner
) as count`)

/** Asks in the role of the application, which the connection takes when it is opened. */
async function mayWork(database: TenantDatabase): Promise<boolean> {
  const [found] = await ask(database, hindrances)
  return Number(found?.['count']) === 0
}

let known: readonly string[] | undefined

/**
 * Fails on a standby with the SQLSTATE of a refused write, so that the pool gives the connection up. All statements that
 * only read would succeed there.
 */
const requireWrites = sql`do $$ begin
  if current_setting('transaction_read_only')::boolean then
    raise exception 'the database server accepts no writes' using errcode = '25006';
  end if;
end $$`

/**
 * The number of migrations of this build that have not run. Rejects with `DatabaseUnavailable`, also on a standby.
 */
export async function pendingMigrations(database: TenantDatabase): Promise<number> {
  await ask(database, requireWrites)
  // Read once, because the files of a running build do not change.
  known ??= knownMigrations()
  const applied = await appliedMigrations(database)
  return known.filter((name) => !applied.has(name)).length
}

/** Empty if no migration has run, or if the login may not read the table. */
async function appliedMigrations(database: TenantDatabase): Promise<ReadonlySet<string>> {
  const [journal] = await ask(database, sql`select to_regclass('__drizzle_migrations')::text as journal`)
  if (!journal?.['journal']) return new Set()
  const rows = await ask(database, sql`select name from __drizzle_migrations`)
  return new Set(rows.map((row) => String(row['name'])))
}

const ask = (database: TenantDatabase, statement: ReturnType<typeof sql>): Promise<Record<string, unknown>[]> =>
  database.lookUp((db) => db.execute(statement))

/** Undefined if the promise rejects or takes too long. */
function withinPatience<T>(asked: Promise<T>): Promise<T | undefined> {
  return new Promise((resolve) => {
    const timer = setTimeout(resolve, patienceMs, undefined)
    asked
      .catch(() => undefined)
      .then((answer) => {
        clearTimeout(timer)
        resolve(answer)
      }, resolve)
  })
}
