import { makePgArray, parsePgArray } from 'drizzle-orm/pg-core'
import postgres from 'postgres'
import { usualSchema } from './databaseAddress.ts'
import { DatabaseUnavailable, isUnavailable } from './databaseUnavailable.ts'
import { appRole } from './roles.ts'
import { Patience } from './patience.ts'
import { driverOptions, Servers } from './servers.ts'

/**
 * How Postgres plans the application's statements. Planning a list costs five times as much as running it, so each
 * connection makes a plan once and uses it for every tenant and every value.
 *
 * Postgres then assumes a tenant of average size and a limit of a tenth of the list. If most tenants are small, joining
 * all rows of a tenant looks as cheap as looking up those of a page, but costs a second per page in a large tenant.
 * Every statement reads a page or looks up by key, and has an index for it. These settings make Postgres use that
 * index. They do not prevent a full join where one is needed, as in fsck. Sorting stays enabled: walking an index for
 * its order can read far more rows than a few look-ups by key.
 *
 * The values are text, because the driver omits a setting that is false.
 */
export const planSettings = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_material: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  // Starting workers takes longer than reading a page, and compiling a plan longer than running it.
  max_parallel_workers_per_gather: '0',
  jit: 'off',
} as const

export interface ConnectionOptions {
  readonly url: string
  readonly applicationName: string
  /** The schema of the tables. Default: `filegraph`. */
  readonly schema?: string | undefined
  /** The server cancels a statement after this time. Default: 15 s. */
  readonly statementTimeoutMs?: number
  /** Receives the text of each statement before it is sent. */
  readonly onStatement?: (text: string) => void
  /** Receives the text of each statement and the time until its answer, after a failure too. */
  readonly onAnswer?: (text: string, milliseconds: number) => void
}

export type Row = Record<string, unknown>

/**
 * One connection, lent to one caller at a time. Statements that are sent without awaiting each other go out in one
 * write and are answered in order.
 */
export interface Connection {
  send(text: string, params?: readonly unknown[]): Promise<Row[]>
  /** Rows as arrays, in the order of the select list. */
  sendForArrays(text: string, params?: readonly unknown[]): Promise<unknown[][]>
  /**
   * Sends a statement whose text depends on clients. The driver keeps a prepared statement for the life of the
   * connection, so this one is unnamed: Postgres parses it each time, which takes one more round trip.
   */
  sendUnprepared(text: string, params?: readonly unknown[]): Promise<unknown[][]>
  /** False after the connection was lost. Transactions on it are over, even if the driver reconnects. */
  readonly isOpen: boolean
  /** Ends the connection, and lets the pool distrust all others to the same server. */
  doubtServer(): void
}

const usualStatementTimeoutMs = 15_000

/** The extra time after the server's own limit. After that, the network counts as down. */
const silencePatienceMs = 5_000

export function connect(
  options: ConnectionOptions,
  onClose: () => void,
  servers: Servers = new Servers(options.url),
): postgres.Sql {
  const { connection, ...address } = driverOptions(servers)
  return postgres({
    ...address,
    max: 1,
    prepare: true,
    fetch_types: false,
    // Disabled, because the driver could close the connection in the middle of a transaction.
    idle_timeout: 0,
    max_lifetime: null,
    backoff: () => 0.05,
    onnotice: () => undefined,
    onclose: onClose,
    types: { moment: textualMoments, textArray },
    connection: {
      application_name: options.applicationName,
      ...connection,
      role: appRole,
      // Only our tables and functions, so that no object of the host application can shadow one.
      search_path: options.schema ?? usualSchema,
      TimeZone: 'UTC',
      ...planSettings,
      statement_timeout: options.statementTimeoutMs ?? usualStatementTimeoutMs,
      lock_timeout: 10_000,
      idle_in_transaction_session_timeout: 30_000,
    },
  })
}

/** Returns times as text, because Drizzle's column types parse them. */
const textualMoments = {
  to: 1184,
  from: [1082, 1083, 1114, 1184],
  serialize: (value: unknown) => (value instanceof Date ? value.toISOString() : value),
  parse: (value: string) => value,
}

/** `text[]`. Without this type, the driver would query each new connection for it. */
const textArray = {
  to: 1009,
  from: [1009],
  serialize: (value: unknown) => (Array.isArray(value) ? makePgArray(value) : value),
  parse: parsePgArray,
}

export interface ConnectionState {
  isOpen: boolean
  /** The server is silent or accepts no writes. Other connections can lead to the same one. */
  isServerInDoubt: boolean
  /** Without a limit, the driver reconnects forever if a proxy accepts connections and closes them. */
  readonly connectPatienceMs: number
}

export function connectionOver(client: postgres.Sql, state: ConnectionState, options: ConnectionOptions): Connection {
  const usualPatienceMs = (options.statementTimeoutMs ?? usualStatementTimeoutMs) + silencePatienceMs
  const patience = new Patience()
  const onSilence = () => givenUp(state)
  let firstAnswer: Promise<void> | undefined
  let hasAnswered = false
  const answered = async <T>(text: string, send: () => Promise<T>): Promise<T> => {
    if (!state.isOpen) throw new DatabaseUnavailable('The database connection was lost')
    options.onStatement?.(text)
    const began = performance.now()
    const answer = send()
    if (!hasAnswered) {
      // Statements in the same write as the first one wait for the same connection.
      const either = () => undefined
      firstAnswer ??= answer.then(either, either)
      answer.catch(either)
      await patience.wait(firstAnswer, state.connectPatienceMs, onSilence)
      hasAnswered = true
    }
    try {
      return await patience.wait(answer, usualPatienceMs, onSilence)
    } catch (error) {
      throw asUnavailable(error)
    } finally {
      options.onAnswer?.(text, performance.now() - began)
    }
  }
  const arraysOf =
    (prepare: boolean) =>
    (text: string, params: readonly unknown[] = []) =>
      answered(text, () => {
        const rows = client.unsafe(text, params as never[], { prepare }).values()
        // The driver sends statements in the order in which `execute` is called.
        return rows.execute() as Promise<unknown[][]>
      })
  return {
    get isOpen() {
      return state.isOpen
    },
    doubtServer: () => doubtServer(state),
    send: (text, params = []) =>
      answered(text, () => client.unsafe<Row[]>(text, params as never[], { prepare: true }).execute()),
    sendForArrays: arraysOf(true),
    sendUnprepared: arraysOf(false),
  }
}

/** A statement that timed out also ends its connection, because its answer could arrive in the next transaction. */
function givenUp(state: ConnectionState): DatabaseUnavailable {
  doubtServer(state)
  return new DatabaseUnavailable('The database did not answer in time')
}

function doubtServer(state: ConnectionState): void {
  state.isOpen = false
  state.isServerInDoubt = true
}

function asUnavailable(error: unknown): unknown {
  if (error instanceof DatabaseUnavailable || !isUnavailable(error)) return error
  return new DatabaseUnavailable('The database did not answer', { cause: error })
}
