import type postgres from 'postgres'

/** The functions that those versions created in `public`. */
const formerFunctions = ['set_tenant(uuid)', 'set_tenant_for_key(uuid, uuid, text)', 'refuse_change()']

interface Move {
  /** The target. */
  readonly schema: string
  /** All migrations of this build. */
  readonly migrations: readonly { readonly name: string; readonly sql: readonly string[] }[]
  readonly journalTable: string
  readonly functionsRole: string
}

/**
 * Moves the tables and functions of an installation in `public` into the new schema, in one transaction. Does nothing
 * if there is none. The names of its migrations identify an installation. Takes an exclusive lock on each table for a
 * moment and writes no row. Tables of the host application in `public` are not changed.
 */
export async function moveFromPublic(client: postgres.Sql, move: Move): Promise<void> {
  if (!(await isInPublic(client, move))) return
  const { schema } = move
  await client.begin(async (tx) => {
    if (schema !== 'filegraph') await renameFunctionsSchema(tx, schema)
    await tx.unsafe(`create schema if not exists ${schema}`)
    await tx.unsafe(`grant usage on schema ${schema} to filegraph_app, ${move.functionsRole}, filegraph_host`)
    const ours = await listOurTables(tx, move)
    for (const table of ours) await tx.unsafe(`alter table public.${table} set schema ${schema}`)
    for (const signature of formerFunctions) await tx.unsafe(`alter function public.${signature} set schema ${schema}`)
    await requalifyFunctions(tx, move)
    await moveJournal(tx, move)
  })
}

const namesOf = ({ migrations }: Move): string[] => migrations.map(({ name }) => name)

async function isInPublic(client: postgres.Sql, move: Move): Promise<boolean> {
  const [found] = await client<{ isThere: boolean }[]>`
    select to_regclass('drizzle.__drizzle_migrations') is not null and to_regclass('public.tenant_slugs') is not null as "isThere"`
  if (!found?.isThere) return false
  const ours = await client`select from drizzle.__drizzle_migrations where name in ${client(namesOf(move))}`
  return ours.length > 0
}

/** The functions of those versions are in `filegraph`. For another name, the schema is renamed. */
async function renameFunctionsSchema(tx: postgres.TransactionSql, schema: string): Promise<void> {
  const [taken] = await tx`select from pg_namespace where nspname = ${schema}`
  if (taken)
    throw new Error(`DATABASE_SCHEMA=${schema} exists already, and this installation has to move. Choose another name.`)
  await tx.unsafe(`alter schema filegraph rename to ${schema}`)
}

/**
 * Lists the tables that the applied migrations created, if they have the same owner as `tenants`. A later migration can
 * create a table whose name the host application already uses; that table belongs to the host.
 */
async function listOurTables(tx: postgres.TransactionSql, { migrations }: Move): Promise<string[]> {
  const applied = await tx<{ name: string }[]>`select name from drizzle.__drizzle_migrations`
  const names = new Set(applied.map(({ name }) => name))
  const created = migrations
    .filter(({ name }) => names.has(name))
    .flatMap(({ sql }) => [...sql.join('\n').matchAll(/CREATE TABLE "(\w+)"/g)].map(([, table = '']) => table))
  const rows = await tx<{ name: string }[]>`
    select c.relname as name from pg_class c join pg_class t on t.oid = 'public.tenant_slugs'::regclass
    where c.relnamespace = 'public'::regnamespace and c.relkind = 'r' and c.relowner = t.relowner
      and c.relname in ${tx(created)}`
  return rows.map(({ name }) => name)
}

/** Replaces the schema in the bodies of functions. */
async function requalifyFunctions(tx: postgres.TransactionSql, { schema, functionsRole }: Move): Promise<void> {
  const functions = await tx<{ definition: string; owner: string }[]>`
    select pg_get_functiondef(p.oid) as definition, p.proowner::regrole::text as owner from pg_proc p
    where p.pronamespace = ${schema}::regnamespace and p.prokind = 'f' and p.prosrc ~ '\\m(public|filegraph)\\.'`
  await tx.unsafe(`grant create on schema ${schema} to ${functionsRole}`)
  for (const { definition, owner } of functions) {
    const moved = definition.replaceAll(/\b(?:public|filegraph)\./g, `${schema}.`)
    if (owner === functionsRole) await tx.unsafe(`set local role ${functionsRole}`)
    await tx.unsafe(moved)
    await tx.unsafe('reset role')
  }
  await tx.unsafe(`revoke create on schema ${schema} from ${functionsRole}`)
}

/** Drizzle's own schema can hold migrations of the host application, so only our names move. */
async function moveJournal(tx: postgres.TransactionSql, move: Move): Promise<void> {
  const { schema, journalTable } = move
  const names = tx(namesOf(move))
  await tx.unsafe(`create table ${schema}.${journalTable} (
    id serial primary key, hash text not null, created_at bigint, name text, applied_at timestamptz(3) default now())`)
  await tx`insert into ${tx(schema)}.${tx(journalTable)} (hash, created_at, name, applied_at)
    select hash, created_at, name, applied_at from drizzle.__drizzle_migrations where name in ${names} order by id`
  await tx`delete from drizzle.__drizzle_migrations where name in ${names}`
  const [left] = await tx`select from drizzle.__drizzle_migrations limit 1`
  if (left) return
  await tx`drop table drizzle.__drizzle_migrations`
  const [used] = await tx`select from pg_class where relnamespace = 'drizzle'::regnamespace limit 1`
  if (!used) await tx`drop schema drizzle`
}
