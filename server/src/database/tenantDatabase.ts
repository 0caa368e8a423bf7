import { type Column, eq, type SQL } from 'drizzle-orm'
import { drizzle, type PgRemoteDatabase } from 'drizzle-orm/pg-proxy'
import { postgresJsCodecs } from 'drizzle-orm/postgres-js'
import type { Connection, Row } from './connection.ts'
import { ConnectionPool, type ConnectionPoolOptions } from './connectionPool.ts'
import { DatabaseUnavailable } from './databaseUnavailable.ts'
import { assertNoTenantTable, assertTenantPredicate } from './tenantPredicate.ts'

/**
 * Statements of one tenant, all or nothing. It dies with its transaction: whoever keeps it and uses it later gets
 * `TransactionOver` and reads nothing.
 */
export interface Transaction {
  readonly tenantId: string
  readonly db: PgRemoteDatabase
  /** The predicate that every statement has to name for each of its tenant tables. */
  mine(table: { readonly tenantId: Column }): SQL
}

/** A statement was sent on a transaction that had ended. Always a defect of ours. */
export class TransactionOver extends Error {
  override readonly name = 'TransactionOver'
}

/** The only way to rows. Rejects with `DatabaseUnavailable` when the database gives no usable answer. */
export interface TenantDatabase {
  /** Runs `work` in a transaction of its own and commits it, or rolls it back when `work` or any statement failed. */
  write<T>(tenantId: string, work: (tx: Transaction) => Promise<T>): Promise<T>
  /** The same, read only. */
  read<T>(tenantId: string, work: (tx: Transaction) => Promise<T>): Promise<T>
  /** Rows that are known before the tenant is: slugs, users, sessions. Refuses to touch a tenant table. */
  lookUp<T>(work: (db: PgRemoteDatabase) => Promise<T>): Promise<T>
  close(): Promise<void>
}

export function openTenantDatabase(options: ConnectionPoolOptions): TenantDatabase {
  const pool = new ConnectionPool(options)
  const inTransaction = async <T>(
    begin: string,
    tenantId: string | null,
    work: (db: PgRemoteDatabase) => Promise<T>,
  ) => {
    const settled = await pool.lend((connection) => runTransaction(connection, begin, tenantId, work))
    if (!settled.ok) throw settled.error
    return settled.value
  }
  return {
    write: (tenantId, work) => inTransaction('begin', tenantId, (db) => work(transactionOf(tenantId, db))),
    read: (tenantId, work) => inTransaction('begin read only', tenantId, (db) => work(transactionOf(tenantId, db))),
    lookUp: (work) => inTransaction('begin', null, work),
    close: () => pool.close(),
  }
}

const transactionOf = (tenantId: string, db: PgRemoteDatabase): Transaction => ({
  tenantId,
  db,
  mine: (table) => eq(table.tenantId, tenantId),
})

type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }

/** Rejects only when the state of the connection is in doubt; a failure of `work` that was rolled back is an answer. */
async function runTransaction<T>(
  connection: Connection,
  begin: string,
  tenantId: string | null,
  work: (db: PgRemoteDatabase) => Promise<T>,
): Promise<Settled<T>> {
  const statements = new Statements(connection, tenantId)
  // Sent in one write. Statements of `work` wait for the answer: without a transaction they would commit by themselves.
  const opening = [connection.send(begin)]
  if (tenantId !== null) opening.push(connection.send('select set_tenant($1)', [tenantId]))
  await Promise.all(opening)
  const outcome = await settle(work(drizzle(statements.run, { codecs: postgresJsCodecs })))
  const failure = await statements.end()
  const settled: Settled<T> = outcome.ok && failure !== undefined ? { ok: false, error: unwrapped(failure) } : outcome
  await connection.send(settled.ok ? 'commit' : 'rollback')
  return settled
}

/** What may be sent while a transaction is open. */
class Statements {
  readonly #connection: Connection
  readonly #tenantId: string | null
  readonly #running = new Set<Promise<unknown>>()
  #failure: unknown
  #over = false

  constructor(connection: Connection, tenantId: string | null) {
    this.#connection = connection
    this.#tenantId = tenantId
  }

  readonly run = async (
    text: string,
    params: unknown[],
    method: 'all' | 'execute',
  ): Promise<{ rows: (Row | unknown[])[] }> => {
    if (this.#over) throw new TransactionOver('The transaction has ended; this statement was not sent')
    if (this.#tenantId === null) assertNoTenantTable(text)
    else assertTenantPredicate(text, params, this.#tenantId)
    const sent: Promise<(Row | unknown[])[]> =
      method === 'all' ? this.#connection.sendForArrays(text, params) : this.#connection.send(text, params)
    this.#running.add(sent)
    try {
      return { rows: await sent }
    } catch (error) {
      // Postgres has aborted the transaction, whatever the caller makes of the error.
      this.#failure ??= error
      throw error
    } finally {
      this.#running.delete(sent)
    }
  }

  /** Closes the door, waits for what is under way, and tells what went wrong. */
  async end(): Promise<unknown> {
    this.#over = true
    const forgotten = this.#running.size
    await Promise.allSettled(this.#running)
    if (forgotten > 0)
      return new TransactionOver(`${forgotten} statements were still running when their transaction ended`)
    return this.#failure
  }
}

async function settle<T>(work: Promise<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await work }
  } catch (error) {
    return { ok: false, error: unwrapped(error) }
  }
}

/** Drizzle wraps what the driver rejects with and puts the SQL text in front; callers want to know the kind of failure. */
function unwrapped(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof DatabaseUnavailable ? error.cause : error
}
