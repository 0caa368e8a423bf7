import { eq, type SQL } from 'drizzle-orm'
import { drizzle, type PgRemoteDatabase } from 'drizzle-orm/pg-proxy'
import { postgresJsCodecs } from 'drizzle-orm/postgres-js'
import type { Connection } from './connection.ts'
import { ConnectionPool, type ConnectionPoolOptions, type PoolLoad } from './connectionPool.ts'
import { DatabaseUnavailable, errorCodeOf, isReadOnlyServer, wasRolledBackForOthers } from './databaseUnavailable.ts'
import { relations, type Relations } from './relations.ts'
import type { PreparedStatement, StatementValues, TenantScope } from './preparedStatement.ts'
import { type StatementRules, Statements } from './statements.ts'

/** A transaction of one tenant. Use after its end throws `TransactionOver` and reads nothing. */
export interface Transaction extends TenantScope {
  readonly tenantId: string
  /** Relational queries, sent unprepared. `relationalReader.ts` adds the tenant to them. */
  readonly relational: PgRemoteDatabase<Relations>['query']
  /**
   * Runs a prepared statement for the tenant of this transaction. It is sent at once, before other statements that are
   * still being written.
   */
  run<T>(statement: PreparedStatement<T>, values: StatementValues): Promise<T[]>
  /**
   * Sends the last statement together with the COMMIT, which saves a round trip to transactions that wait for its
   * locks. If it fails, the transaction is rolled back. Its result can no longer prevent the commit. A later statement
   * throws `TransactionOver`.
   */
  finish(statement: SQL): Promise<void>
}

/** An API key whose secret was verified in this request or an earlier one. */
export interface CheckedKey {
  readonly tenantId: string
  readonly keyId: string
  readonly role: string
}

/** The key was revoked or got another role after it was checked. Nothing was read or changed. */
export class KeyEnded extends Error {
  override readonly name = 'KeyEnded'
}

/** The only access to rows. Rejects with `DatabaseUnavailable` if the database gives no usable answer. */
export interface TenantDatabase {
  /**
   * Runs `work` in its own transaction. Commits it, or rolls it back if `work` or any statement failed. Runs `work`
   * once more if Postgres ended the transaction to resolve a deadlock or a serialization failure, so `work` must have
   * no effects other than its statements.
   */
  write<T>(tenantId: string, work: (tx: Transaction) => Promise<T>): Promise<T>
  /** As `write`, in a read-only transaction. */
  read<T>(tenantId: string, work: (tx: Transaction) => Promise<T>): Promise<T>
  /**
   * As `read`, for exactly one statement. The transaction ends after it, so that everything is one write and one
   * answer. A second statement rejects with `TransactionOver`.
   */
  readOnce<T>(tenantId: string, work: (tx: Transaction) => PromiseLike<T>): Promise<T>
  /** Reads rows that are needed before the tenant is known: slugs, users, sessions. Refuses tenant tables. */
  lookUp<T>(work: (db: PgRemoteDatabase) => Promise<T>): Promise<T>
  /**
   * The same database for an API key. The statement that opens a transaction also checks that the key is still valid,
   * and the transaction rejects with `KeyEnded` if it is not. Made for one request.
   */
  forKey(key: CheckedKey): KeyedDatabase
  /** How many connections are in use now. */
  load(): PoolLoad
  close(): Promise<void>
}

export interface KeyedDatabase extends TenantDatabase {
  /** Whether the key was valid in the transactions so far. Null before the first. */
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
    write: inTenant(key, beginWrite),
    read: inTenant(key, 'begin read only'),
    readOnce: inTenant(key, 'begin read only', true),
    lookUp: (work) => inTransaction({ begin: beginWrite, tenantId: null, key: null, isSingle: false }, work),
    forKey: (checked) => {
      const state: KeyState = { ...checked, stands: null }
      return Object.defineProperty(inTheNameOf(state), 'keyStands', { get: () => state.stands }) as KeyedDatabase
    },
    load: () => pool.load(),
    close: () => pool.close(),
  })
  return inTheNameOf(null)
}

const beginWrite = 'begin'

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

/** Rejects only if the state of the connection is in doubt. A failure of `work` that was rolled back is a result. */
async function runTransaction<T>(connection: Connection, opening: Opening, work: Work<T>): Promise<Settled<T>> {
  const opened = open(connection, opening)
  // Rows outside of tenants have no row-level security. Without a transaction, their statements would commit one by
  // one.
  if (opening.tenantId === null) await opened
  const statements = new Statements(connection, opening)
  const outcome = await settle(work(drizzle(statements.run, { codecs: postgresJsCodecs }), statements))
  const failure = await statements.end()
  await opened
  const settled = settledBy(outcome, opening.key?.stands === false ? new KeyEnded() : failure)
  if (opening.begin === beginWrite && !settled.ok && isReadOnlyServer(settled.error)) {
    connection.doubtServer()
    throw new DatabaseUnavailable('The database server accepts no writes', { cause: settled.error })
  }
  await (statements.committed ?? connection.send(settled.ok ? 'commit' : 'rollback'))
  // Statements that were pending when the connection was lost can have run on the next one, outside any transaction.
  if (!connection.isOpen) throw new DatabaseUnavailable('The database connection was lost')
  return settled
}

/** A failure of the transaction counts, even if `work` caught the error. */
function settledBy<T>(outcome: Settled<T>, failure: unknown): Settled<T> {
  if (failure instanceof KeyEnded) return { ok: false, error: failure, canRepeat: false }
  if (failure === undefined) return outcome
  const error = outcome.ok ? unwrapped(failure) : outcome.error
  return { ok: false, error, canRepeat: wasRolledBackForOthers(failure) }
}

/**
 * Sent in one write with the first statements of the work, which do not await it. They are safe without it:
 * `set_tenant` applies only to its own transaction, and without it row-level security shows and accepts no row.
 */
function open(connection: Connection, { begin, tenantId, key }: Opening): Promise<unknown> {
  const sent: Promise<unknown>[] = [connection.send(begin)]
  if (tenantId !== null && key === null) sent.push(connection.send('select set_tenant($1)', [tenantId]))
  if (tenantId !== null && key !== null) sent.push(enterWithKey(connection, tenantId, key))
  const opened = Promise.all(sent)
  // The failure is reported where it is awaited. `work` can fail before that.
  opened.catch(() => undefined)
  return opened
}

/** An invalid key aborts the transaction. That is not a failure of the connection. */
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

/** Drizzle wraps the driver's error and puts the SQL before its message. Callers need the kind of failure. */
function unwrapped(error: unknown): unknown {
  return error instanceof Error && error.cause instanceof DatabaseUnavailable ? error.cause : error
}
