import { pipeline } from 'node:stream/promises'
import type { Readable } from 'node:stream'

import { usualSchema } from '../databaseAddress.ts'
import { driverOptions, Servers } from '../servers.ts'
import postgres from 'postgres'
import {
  type BackupLogin,
  columnList,
  type CopiedTable,
  copyOut,
  digestJournal,
  type JournalDigest,
  quoted,
  readTableShapes,
  setLocally,
  textSettings,
  withoutTimeouts,
} from './backupReader.ts'
import { backupRole } from './backupRole.ts'
import { digestOf } from './rowDigest.ts'

/** The tables and the backup do not agree. The message is a sentence for people. */
export class LoadRefused extends Error {
  override readonly name = 'LoadRefused'
}

/** An object that the bucket stores under another ETag than the bucket of the backup did. */
export interface OtherEtag {
  readonly key: string
  readonly etag: string
}

export interface TablesToLoad {
  readonly tables: readonly CopiedTable[]
  readonly journal: JournalDigest
  /** The rows of a table in the text format of COPY. */
  readonly open: (table: CopiedTable) => Readable
  readonly otherEtags: readonly OtherEtag[]
  readonly onTable: (table: CopiedTable) => void
}

/**
 * Loads all tables in one transaction and compares them with the backup, so that the database has all of its rows or none.
 * Locks every table. Row-level security is not forced on the owner meanwhile, and triggers do not fire, because the rows contain
 * the results of their triggers. Foreign keys are checked.
 */
export async function loadTables(tx: postgres.TransactionSql, schema: string, load: TablesToLoad): Promise<void> {
  await setLocally(tx, { ...textSettings, ...withoutTimeouts, search_path: schema })
  await assertSameShapes(tx, schema, load.tables)
  const names = load.tables.map(({ name }) => name)
  const guarded = await openTables(tx, names)
  await assertEmpty(tx, names)
  await tx`delete from installation`
  for (const name of await inOrderOfKeys(tx, schema, names)) {
    const table = load.tables.find((each) => each.name === name)
    if (!table) throw new Error(`${name} is not a table of the backup`)
    const text = `copy ${quoted(name)} (${columnList(table)}) from stdin`
    await pipeline(load.open(table), await tx.unsafe(text).writable())
    await assertLoaded(tx, table)
    load.onTable(table)
  }
  await assertSameJournal(tx, load.journal)
  await advanceSequences(tx, load.tables)
  await keepEtags(tx, load.otherEtags)
  await startNewLife(tx)
  await closeTables(tx, names, guarded)
  for (const name of names) await tx.unsafe(`analyze ${quoted(name)}`)
}

async function assertSameShapes(tx: postgres.TransactionSql, schema: string, tables: readonly CopiedTable[]) {
  const shapeOf = ({ name, columns }: { name: string; columns: readonly string[] }) =>
    `${name}(${columns.toSorted().join()})`
  const own = (await readTableShapes(tx, schema)).map(shapeOf)
  const wanted = tables.map(shapeOf)
  const differing = [...own.filter((one) => !wanted.includes(one)), ...wanted.filter((one) => !own.includes(one))]
  if (differing.length > 0) {
    throw new LoadRefused(`The tables of the database are not those of the backup: ${differing.toSorted().join(', ')}`)
  }
}

/** Returns the tables on which row-level security is forced. */
async function openTables(tx: postgres.TransactionSql, names: readonly string[]): Promise<string[]> {
  const forced: string[] = []
  for (const name of names) {
    const [row] = await tx`select relforcerowsecurity as forced from pg_class where oid = ${quoted(name)}::regclass`
    if (row?.['forced'] === true) forced.push(name)
    await tx.unsafe(`alter table ${quoted(name)} no force row level security, disable trigger user`)
  }
  return forced
}

async function closeTables(tx: postgres.TransactionSql, names: readonly string[], forced: readonly string[]) {
  for (const name of names) await tx.unsafe(`alter table ${quoted(name)} enable trigger user`)
  for (const name of forced) await tx.unsafe(`alter table ${quoted(name)} force row level security`)
}

async function assertEmpty(sql: postgres.TransactionSql, names: readonly string[]): Promise<void> {
  const name = await findRows(sql, names)
  if (name !== null) throw notEmpty(name)
}

export const notEmpty = (table: string) =>
  new LoadRefused(`The database is not empty: the table ${table} has rows. Restore into an empty database.`)

async function findRows(sql: postgres.TransactionSql, names: readonly string[]): Promise<string | null> {
  for (const name of names) {
    // A command makes the row of the installation. Before a process marks the bucket, it means nothing.
    const condition = name === 'installation' ? 'where is_marked' : ''
    const [row] = await sql.unsafe(`select exists (select from ${quoted(name)} ${condition}) as "hasRows"`)
    if (row?.['hasRows'] !== false) return name
  }
  return null
}

/** A table after all tables that its foreign keys name. A table that names itself is checked at the end of its copy. */
async function inOrderOfKeys(tx: postgres.TransactionSql, schema: string, names: readonly string[]): Promise<string[]> {
  const keys = await tx<{ from: string; to: string }[]>`select f.relname as from, t.relname as to from pg_constraint k
    join pg_class f on f.oid = k.conrelid join pg_class t on t.oid = k.confrelid
    where k.contype = 'f' and k.connamespace = ${schema}::regnamespace and k.conrelid <> k.confrelid`
  const ordered: string[] = []
  while (ordered.length < names.length) {
    const isReady = (name: string) =>
      !ordered.includes(name) && keys.every(({ from, to }) => from !== name || ordered.includes(to))
    const next = names.filter(isReady)
    if (next.length === 0) throw new Error('The foreign keys of the tables form a cycle')
    ordered.push(...next)
  }
  return ordered
}

async function assertLoaded(tx: postgres.TransactionSql, table: CopiedTable): Promise<void> {
  const digest = await digestOf(copyOut(tx, table))
  if (digest.rows === table.rows && digest.hex === table.digest) return
  throw new LoadRefused(
    `The table ${table.name} has ${digest.rows} rows that differ from the ${table.rows} of the backup.`,
  )
}

async function assertSameJournal(tx: postgres.TransactionSql, journal: JournalDigest): Promise<void> {
  const own = await digestJournal(tx)
  if (own.digest !== journal.digest) throw new LoadRefused('The journal numbers are not those of the backup.')
}

/** The next number of a sequence must be higher than all numbers in its column. */
async function advanceSequences(tx: postgres.TransactionSql, tables: readonly CopiedTable[]): Promise<void> {
  for (const { name, columns } of tables) {
    for (const column of columns) {
      const [row] = await tx`select pg_get_serial_sequence(${quoted(name)}, ${column}) as sequence`
      const sequence: unknown = row?.['sequence']
      if (typeof sequence !== 'string') continue
      await tx.unsafe(`select setval($1::regclass, (select max(${quoted(column)}) from ${quoted(name)}))`, [sequence])
    }
  }
}

const etagsAtOnce = 1_000

/** The identity of an object is its size and ETag. A store that encrypts gives the same bytes another ETag. */
async function keepEtags(tx: postgres.TransactionSql, etags: readonly OtherEtag[]): Promise<void> {
  for (let at = 0; at < etags.length; at += etagsAtOnce) {
    const some = etags.slice(at, at + etagsAtOnce)
    await tx`update blobs b set etag = e.etag from unnest(${some.map(({ key }) => key)}::text[],
      ${some.map(({ etag }) => etag)}::text[]) e(key, etag) where b.object_key = e.key`
  }
}

/**
 * The restored database has not marked its bucket yet, so it claims an empty bucket like a new installation. It keeps its id
 * and generation, so it objects if it finds the bucket of the original.
 */
async function startNewLife(tx: postgres.TransactionSql): Promise<void> {
  await tx`update installation set is_marked = false, next_token = null, system_identifier = null, database_oid = null,
    server_started_at = null, settling_since = null, refusal = null, refused_since = null, retired_at = null`
}

/** What is in a database before a restore. */
export interface RestoreTarget {
  /** A table that has rows. Null: the database is empty, with or without our tables. */
  readonly tableWithRows: string | null
  readonly journal: JournalDigest | null
}

/** Changes nothing. */
export async function readTarget({ url, schema = usualSchema }: BackupLogin): Promise<RestoreTarget> {
  const { connection, ...address } = driverOptions(new Servers(url))
  const parameters = { ...connection, search_path: schema }
  const client = postgres({ ...address, max: 1, onnotice: () => undefined, connection: parameters })
  try {
    const target = await client.begin(async (tx): Promise<RestoreTarget> => {
      const [found] = await tx`select to_regclass('installation') is not null as "isMigrated",
        exists (select from pg_roles where rolname = ${backupRole}) as "hasRole"`
      if (found?.['isMigrated'] !== true) return { tableWithRows: null, journal: null }
      // Without the role, row-level security would hide the rows.
      if (found['hasRole'] !== true) return { tableWithRows: 'of an earlier version', journal: null }
      await tx.unsafe(`set local role ${backupRole}`)
      const tables = await readTableShapes(tx, schema)
      const names = tables.map(({ name }) => name)
      return { tableWithRows: await findRows(tx, names), journal: await digestJournal(tx) }
    })
    return target
  } finally {
    await client.end({ timeout: 5 })
  }
}
