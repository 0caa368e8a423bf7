import { setTimeout as sleep } from 'node:timers/promises'
import postgres from 'postgres'

interface Migration {
  readonly name: string
  readonly hash: string
  readonly folderMillis: number
  readonly sql: readonly string[]
}

interface Migrations {
  readonly schema: string
  readonly journalTable: string
  /** Oldest first. */
  readonly migrations: readonly Migration[]
  /** Waits for a lock. Default: 2 s, and 5 min in total. */
  readonly lockTimeoutMs?: number
  readonly lockPatienceMs?: number
}

/** A line of a migration whose statements run outside a transaction, such as CREATE INDEX CONCURRENTLY. */
const withoutTransaction = /^--\s*no transaction\s*$/m

/**
 * Runs the pending migrations, each in a transaction of its own, so that one that fails leaves those before it applied.
 *
 * A statement that waits for a lock on a table makes every later statement on the table wait behind it. So a migration
 * that waits behind a long transaction gives its locks up after a moment and tries again later.
 */
export async function runMigrations(client: postgres.Sql, options: Migrations): Promise<void> {
  const { schema, journalTable, lockPatienceMs = 300_000 } = options
  const applied = new Set((await client.unsafe(`select name from ${schema}.${journalTable}`)).map((row) => row['name']))
  for (const migration of options.migrations) {
    if (applied.has(migration.name)) continue
    const run = () => runOne(client, migration, options)
    await untilLocked(run, { name: migration.name, until: performance.now() + lockPatienceMs })
  }
}

async function runOne(client: postgres.Sql, migration: Migration, options: Migrations): Promise<void> {
  const { schema, journalTable, lockTimeoutMs = 2_000 } = options
  const { name, hash, folderMillis } = migration
  const statements = migration.sql.map((statement) => inSchema(statement, schema))
  const record = (sql: postgres.Sql | postgres.TransactionSql) =>
    sql.unsafe(`insert into ${schema}.${journalTable} (hash, created_at, name) values ($1, $2, $3)`, [
      hash,
      folderMillis,
      name,
    ])
  if (migration.sql.some((statement) => withoutTransaction.test(statement))) {
    // CONCURRENTLY waits for transactions of others, and nobody waits behind it.
    for (const statement of ['set lock_timeout = 0', ...statements]) await client.unsafe(statement)
    await record(client)
    return
  }
  await client.begin(async (tx) => {
    await tx.unsafe(`set local lock_timeout = ${lockTimeoutMs}`)
    for (const statement of statements) await tx.unsafe(statement)
    await record(tx)
  })
}

/** SQLSTATE 55P03: the lock was not available in time. 40P01: a deadlock. Nothing of the transaction is left. */
const lockFailures = new Set(['55P03', '40P01'])

async function untilLocked(run: () => Promise<void>, limit: { name: string; until: number }): Promise<void> {
  for (let pauseMs = 100; ; pauseMs = Math.min(pauseMs * 2, 5_000)) {
    const failure = await run().catch((error: Error) => error)
    if (!failure) return
    if (!(failure instanceof postgres.PostgresError) || !lockFailures.has(failure.code)) throw failure
    if (performance.now() + pauseMs > limit.until) {
      const message = `The migration ${limit.name} found no moment to lock its tables. End long transactions, and run migrate again.`
      throw new Error(message, { cause: failure })
    }
    await sleep(pauseMs)
  }
}

/**
 * Rewrites a migration for the schema that holds our tables and functions. Migrations of the first versions name
 * `public` and `filegraph`. They are never edited, so both names map to the one schema.
 */
const inSchema = (statement: string, schema: string): string =>
  statement
    .replaceAll(/\b(?:public|filegraph)\./g, `${schema}.`)
    .replaceAll(/\bON SCHEMA (?:public|filegraph)\b/gi, `ON SCHEMA ${schema}`)
    .replaceAll(/\bIN SCHEMA (?:public|filegraph)\b/gi, `IN SCHEMA ${schema}`)
    .replaceAll(/\bCREATE SCHEMA (?:public|filegraph)\b/gi, `CREATE SCHEMA IF NOT EXISTS ${schema}`)
