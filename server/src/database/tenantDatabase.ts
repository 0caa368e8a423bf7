import { eq } from 'drizzle-orm'
import { drizzle, type PgRemoteDatabase, type RemoteCallback } from 'drizzle-orm/pg-proxy'
import { postgresJsCodecs } from 'drizzle-orm/postgres-js'
import type { Connection, Row } from './connection.ts'
import { ConnectionPool, type ConnectionPoolOptions } from './connectionPool.ts'
import { DatabaseUnavailable, errorCodeOf } from './databaseUnavailable.ts'
import type { PreparedStatement, StatementValues, TenantScope } from './preparedStatement.ts'
import { assertNoTenantTable, assertTenantPredicate } from './tenantPredicate.ts'

/**
 * Statements of one tenant, all or nothing. It dies with its transaction: whoever keeps it and uses it later gets
 * `TransactionOver` and reads nothing.
 */
export interface Transaction extends TenantScope {
  readonly tenantId: string
  /** Runs a statement that was written before, for the tenant of this transaction. */
  run<T>(statement: PreparedStatement<T>, values: StatementValues): Promise<T[]>
}

/** A statement was sent on a transaction that had ended. Always a defect of ours. */
export class TransactionOver extends Error {
  override readonly name = 'TransactionOver'
}

/** An API key whose secret was checked before, in this request or an earlier one. */
export interface CheckedKey {
  readonly tenantId: string
  readonly keyId: string
  readonly role: string
}

/** Since the key was checked it was revoked, or was given another role. Nothing was read and nothing changed. */
export class KeyEnded extends Error {
  override readonly name = 'KeyEnded'
}

/** The only way to rows. Rejects with `DatabaseUnavailable` when the database gives no usable answer. */
export interface TenantDatabase {
  /** Runs `work` in a transaction of its own and commits it, or rolls it back when `work` or any statement failed. */
  write<T>(tenantId: string, work: (tx: Transaction) => Promise<T>): Promise<T>
  /** The same, read only. */
  read<T>(tenantId: string, work: (tx: Transaction) => Promise<T>): Promise<T>
  /**
   * The same for exactly one statement: the transaction ends behind it, so that all of it is one write and one answer.
   * A second statement rejects with `TransactionOver`.
   */
  readOnce<T>(tenantId: string, work: (tx: Transaction) => PromiseLike<T>): Promise<T>
  /** Rows that are known before the tenant is: slugs, users, sessions. Refuses to touch a tenant table. */
  lookUp<T>(work: (db: PgRemoteDatabase) => Promise<T>): Promise<T>
  /**
   * The same database in the name of an API key: the statement that opens a transaction also asks whether the key still
   * stands, and the transaction rejects with `KeyEnded` when it does not. Made for one request.
   */
  forKey(key: CheckedKey): KeyedDatabase
  close(): Promise<void>
}

export interface KeyedDatabase extends TenantDatabase {
  /** Whether its transactions found that the key stands: false as soon as one did not, null before the first. */
  readonly keyStands: boolean | null
}

export function openTenantDatabase(options: ConnectionPoolOptions): TenantDatabase {
  const pool = new ConnectionPool(options)
  const inTransaction = async <T>(opening: Opening, work: Work<T>) => {
    const settled = await pool.lend((connection) => runTransaction(connection, opening, work))
    if (!settled.ok) throw settled.error
    return settled.value
  }
  const inTenant =
    (key: KeyState | null, begin: string, isSingle = false) =>
    <T>(tenantId: string, work: (tx: Transaction) => PromiseLike<T>) =>
      inTransaction({ begin, tenantId, key, isSingle }, (db, send) => work(transactionOf(tenantId, db, send)))
  const inTheNameOf = (key: KeyState | null): TenantDatabase => ({
    write: inTenant(key, 'begin'),
    read: inTenant(key, 'begin read only'),
    readOnce: inTenant(key, 'begin read only', true),
    lookUp: (work) => inTransaction({ begin: 'begin', tenantId: null, key: null, isSingle: false }, work),
    forKey: (checked) => {
      const state: KeyState = { ...checked, stands: null }
      return Object.defineProperty(inTheNameOf(state), 'keyStands', { get: () => state.stands }) as KeyedDatabase
    },
    close: () => pool.close(),
  })
  return inTheNameOf(null)
}

interface KeyState extends CheckedKey {
  stands: boolean | null
}

type Work<T> = (db: PgRemoteDatabase, send: RemoteCallback) => PromiseLike<T>

interface Opening {
  readonly begin: string
  /** Null for rows of no tenant. */
  readonly tenantId: string | null
  readonly key: KeyState | null
  /** The transaction ends behind its first statement. */
  readonly isSingle: boolean
}

const transactionOf = (tenantId: string, db: PgRemoteDatabase, send: RemoteCallback): Transaction => ({
  tenantId,
  db,
  mine: (table) => eq(table.tenantId, tenantId),
  run: (statement, values) => statement.execute(values, tenantId, send),
})

type Settled<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: unknown }

/** Rejects only when the state of the connection is in doubt; a failure of `work` that was rolled back is an answer. */
async function runTransaction<T>(connection: Connection, opening: Opening, work: Work<T>): Promise<Settled<T>> {
  const opened = open(connection, opening)
  // Rows of no tenant are not behind row-level security: without a transaction their statements would commit by themselves.
  if (opening.tenantId === null) await opened
  const statements = new Statements(connection, opening)
  const outcome = await settle(work(drizzle(statements.run, { codecs: postgresJsCodecs }), statements.run))
  const failure = await statements.end()
  await opened
  const settled = settledBy(outcome, opening.key?.stands === false ? new KeyEnded() : failure)
  await (statements.committed ?? connection.send(settled.ok ? 'commit' : 'rollback'))
  // What was still to be sent when the connection was lost may have been answered on the next one, outside any transaction.
  if (!connection.isOpen) throw new DatabaseUnavailable('The database connection was lost')
  return settled
}

/** What went wrong in the transaction counts, whatever its work made of it. */
function settledBy<T>(outcome: Settled<T>, failure: unknown): Settled<T> {
  if (failure instanceof KeyEnded) return { ok: false, error: failure }
  return outcome.ok && failure !== undefined ? { ok: false, error: unwrapped(failure) } : outcome
}

/**
 * Goes out in one write with the first statements of the work, which do not wait for the answer. They need none to be
 * safe: `set_tenant`, by its schema since a login may be called like another, holds for its own transaction alone, so that without one, row-level security shows and takes no row.
 */
function open(connection: Connection, { begin, tenantId, key }: Opening): Promise<unknown> {
  const sent: Promise<unknown>[] = [connection.send(begin)]
  if (tenantId !== null && key === null) sent.push(connection.send('select public.set_tenant($1)', [tenantId]))
  if (tenantId !== null && key !== null) sent.push(enterWithKey(connection, tenantId, key))
  const opened = Promise.all(sent)
  // Whoever awaits it learns of a failure; the work may fail before that.
  opened.catch(() => undefined)
  return opened
}

/** A key that has ended aborts the transaction, and then is no failure of the connection. */
async function enterWithKey(connection: Connection, tenantId: string, key: KeyState): Promise<void> {
  if (tenantId !== key.tenantId) throw new Error('A key opens its own tenant alone')
  try {
    await connection.send('select public.set_tenant_for_key($1, $2, $3)', [tenantId, key.keyId, key.role])
    key.stands ??= true
  } catch (error) {
    if (errorCodeOf(error) !== keyEndedState) throw error
    key.stands = false
  }
}

/** Raised by `set_tenant_for_key`. */
const keyEndedState = 'FGK01'

/** What may be sent while a transaction is open. */
class Statements {
  readonly #connection: Connection
  readonly #tenantId: string | null
  readonly #isSingle: boolean
  readonly #running = new Set<Promise<unknown>>()
  #failure: unknown
  #over = false

  /** Set once the end of the transaction is on its way behind its only statement. */
  committed: Promise<unknown> | undefined

  constructor(connection: Connection, { tenantId, isSingle }: Pick<Opening, 'tenantId' | 'isSingle'>) {
    this.#connection = connection
    this.#tenantId = tenantId
    this.#isSingle = isSingle
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
    if (this.#isSingle) this.#commit()
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

  /** After a statement that failed it rolls back. */
  #commit(): void {
    this.#over = true
    this.committed = this.#connection.send('commit')
    this.committed.catch(() => undefined)
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

async function settle<T>(work: PromiseLike<T>): Promise<Settled<T>> {
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
