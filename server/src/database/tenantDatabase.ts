import { eq, type SQL } from 'drizzle-orm'
import { drizzle, type PgRemoteDatabase } from 'drizzle-orm/pg-proxy'
import { postgresJsCodecs } from 'drizzle-orm/postgres-js'
import type { Connection } from './connection.ts'
import { ConnectionPool, type ConnectionPoolOptions } from './connectionPool.ts'
import { DatabaseUnavailable, errorCodeOf, wasRolledBackForOthers } from './databaseUnavailable.ts'
import { relations, type Relations } from './relations.ts'
import type { PreparedStatement, StatementValues, TenantScope } from './preparedStatement.ts'
import { type StatementRules, Statements } from './statements.ts'

/**
 * Statements of one tenant, all or nothing. It dies with its transaction: later use gets
 * `TransactionOver` and reads nothing.
 */
export interface Transaction extends TenantScope {
  readonly tenantId: string
  /** Relational queries, sent unprepared. `relationalReader.ts` adds the tenant to them. */
  readonly relational: PgRemoteDatabase<Relations>['query']
  /**
   * Runs a statement that was written before, for the tenant of this transaction. It is sent at once, ahead of others that
   * were begun just before and are still being written.
   */
  run<T>(statement: PreparedStatement<T>, values: StatementValues): Promise<T[]>
  /**
   * Sends the last statement together with the COMMIT, which saves a round trip for transactions that wait for its locks. If it fails,
   * the transaction is rolled back; its answer can no longer prevent anything. A statement after it gets `TransactionOver`.
   */
  finish(statement: SQL): Promise<void>
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
  /**
   * Runs `work` in a transaction of its own and commits it, or rolls it back when `work` or any statement failed. If
   * Postgres ended the transaction to resolve a deadlock or a serialization failure, it runs once more: `work` must have
   * no effects other than its statements.
   */
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
    const attempt = () => pool.lend((connection) => runTransaction(connection, opening, work))
    const first = await attempt()
    const settled = !first.ok && first.canRepeat ? await attempt() : first
    if (!settled.ok) throw settled.error
    return settled.value
  }
  const inTenant =
    (key: KeyState | null, begin: string, isSingle = false) =>
    <T>(tenantId: string, work: (tx: Transaction) => PromiseLike<T>) =>
      inTransaction({ begin, tenantId, key, isSingle }, (db, statements) =>
        work(transactionOf(tenantId, db, statements)),
      )
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

type Work<T> = (db: PgRemoteDatabase, statements: Statements) => PromiseLike<T>

interface Opening extends StatementRules {
  readonly begin: string
  readonly key: KeyState | null
}

const transactionOf = (tenantId: string, db: PgRemoteDatabase, statements: Statements): Transaction => ({
  tenantId,
  db,
  get relational() {
    return drizzle(statements.runUnprepared, { codecs: postgresJsCodecs, relations }).query
  },
  inTenant: (table) => eq(table.tenantId, tenantId),
  run: (statement, values) => statement.execute(values, tenantId, statements.run),
  finish: async (statement) => {
    statements.commitBehindNext()
    await db.execute(statement)
  },
})

type Settled<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: unknown; readonly canRepeat: boolean }

/** Rejects only when the state of the connection is in doubt; a failure of `work` that was rolled back is an answer. */
async function runTransaction<T>(connection: Connection, opening: Opening, work: Work<T>): Promise<Settled<T>> {
  const opened = open(connection, opening)
  // Rows of no tenant are not behind row-level security: without a transaction their statements would commit by themselves.
  if (opening.tenantId === null) await opened
  const statements = new Statements(connection, opening)
  const outcome = await settle(work(drizzle(statements.run, { codecs: postgresJsCodecs }), statements))
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
  if (failure instanceof KeyEnded) return { ok: false, error: failure, canRepeat: false }
  if (failure === undefined) return outcome
  const error = outcome.ok ? unwrapped(failure) : outcome.error
  return { ok: false, error, canRepeat: wasRolledBackForOthers(failure) }
}

/**
 * Goes out in one write with the first statements of the work, which do not wait for the answer. They need none to be
 * safe: `set_tenant` holds for its own transaction alone, so that without one, row-level security shows and takes no row.
 */
function open(connection: Connection, { begin, tenantId, key }: Opening): Promise<unknown> {
  const sent: Promise<unknown>[] = [connection.send(begin)]
  if (tenantId !== null && key === null) sent.push(connection.send('select set_tenant($1)', [tenantId]))
  if (tenantId !== null && key !== null) sent.push(enterWithKey(connection, tenantId, key))
  const opened = Promise.all(sent)
  // The failure is reported where it is awaited; the work may fail before that.
  opened.catch(() => undefined)
  return opened
}

/** A key that has ended aborts the transaction, and then is not a failure of the connection. */
async function enterWithKey(connection: Connection, tenantId: string, key: KeyState): Promise<void> {
  if (tenantId !== key.tenantId) throw new Error('A key opens its own tenant alone')
  try {
    await connection.send('select set_tenant_for_key($1, $2, $3)', [tenantId, key.keyId, key.role])
    key.stands ??= true
  } catch (error) {
    if (errorCodeOf(error) !== keyEndedState) throw error
    key.stands = false
  }
}

/** Raised by `set_tenant_for_key`. */
const keyEndedState = 'FGK01'

async function settle<T>(work: PromiseLike<T>): Promise<Settled<T>> {
  try {
    return { ok: true, value: await work }
  } catch (error) {
    return { ok: false, error: unwrapped(error), canRepeat: false }
  }
}

/** Drizzle wraps what the driver rejects with and puts the SQL text in front; callers want to know the kind of failure. */
function unwrapped(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof DatabaseUnavailable ? error.cause : error
}
