import { connect as connectSocket, type Socket } from 'node:net'
import { makePgArray, parsePgArray } from 'drizzle-orm/pg-core'
import postgres from 'postgres'
import { driverOptions, readDatabaseAddress, usualSchema } from './databaseAddress.ts'
import { DatabaseUnavailable, isUnavailable } from './databaseUnavailable.ts'
import { appRole } from './migrate.ts'
import { Patience } from './patience.ts'

/**
 * How Postgres plans the application's statements. Planning a list costs five times what running it does, so a plan is
 * made once a connection and then serves every tenant and every value; it knows neither.
 *
 * By itself Postgres takes a tenant for an average one and an unknown limit for a tenth of the list. Where most tenants are
 * small, joining all rows of one looks as cheap as looking up those of a page, and costs the large one a second a page.
 * Every statement of ours reads a page or looks up by key, and there is an index for it: these say so. What has to join in
 * full all the same, as fsck does, still may. Sorting is left alone, since walking an index for its order can read far more
 * than a few rows that are found by key.
 *
 * As text, since the driver leaves out what is false.
 */
export const planSettings = {
  plan_cache_mode: 'force_generic_plan',
  enable_seqscan: 'off',
  enable_bitmapscan: 'off',
  enable_material: 'off',
  enable_hashjoin: 'off',
  enable_mergejoin: 'off',
  // Starting workers takes longer than a page, and compiling a plan longer than running it.
  max_parallel_workers_per_gather: '0',
  jit: 'off',
} as const

export interface ConnectionOptions {
  readonly url: string
  readonly applicationName: string
  /** The schema of our tables. Default: `filegraph`. */
  readonly schema?: string | undefined
  /** The server ends a statement after this time. Default: 15 s. */
  readonly statementTimeoutMs?: number
  /** Told the text of each statement before it is sent. */
  readonly onStatement?: (text: string) => void
}

export type Row = Record<string, unknown>

/**
 * One connection, lent to one caller at a time. Statements sent without waiting for each other go out in one write and
 * are answered in order.
 */
export interface Connection {
  send(text: string, params?: readonly unknown[]): Promise<Row[]>
  /** Rows as arrays, in the order of the select list. */
  sendForArrays(text: string, params?: readonly unknown[]): Promise<unknown[][]>
  /**
   * The same for a text that clients have a say in. The driver keeps a prepared statement for as long as the connection lives, so
   * this one is sent unnamed: Postgres parses it each time, which takes one more round trip.
   */
  sendUnprepared(text: string, params?: readonly unknown[]): Promise<unknown[][]>
  /** False once nothing can be said about it any more: whatever was begun on it is over, even if the driver reconnects. */
  readonly isOpen: boolean
}

const usualStatementTimeoutMs = 15_000

/** The driver would try to connect forever if a proxy accepts and hangs up. */
const connectPatienceMs = 5_000

/** Beyond the server's own limit a silence means that the network is gone. */
const silencePatienceMs = 5_000

export function connect(options: ConnectionOptions, onClose: () => void): postgres.Sql {
  // Not among the driver's declared options.
  const undeclared = { socket: socketOpener() }
  const { connection, ...address } = driverOptions(readDatabaseAddress(options.url))
  return postgres({
    ...undeclared,
    ...address,
    max: 1,
    prepare: true,
    fetch_types: false,
    // The driver's own recycling could close the connection in the middle of a transaction that it does not know of.
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: 5,
    backoff: () => 0.05,
    onnotice: () => undefined,
    onclose: onClose,
    types: { moment: textualMoments, textArray },
    connection: {
      ...connection,
      application_name: options.applicationName,
      role: appRole,
      // Nothing but our own tables and functions: no name of the host application can take the place of one.
      search_path: options.schema ?? usualSchema,
      TimeZone: 'UTC',
      ...planSettings,
      statement_timeout: options.statementTimeoutMs ?? usualStatementTimeoutMs,
      lock_timeout: 10_000,
      idle_in_transaction_session_timeout: 30_000,
    },
  })
}

/**
 * The driver writes a kilobyte at a time, and by itself leaves it to Nagle's algorithm to hold back the rest of what was
 * sent at once until the database has acknowledged the first part, which is a round trip. Hosts are tried in turn, as the
 * driver does, which reads the host for TLS. https://datatracker.ietf.org/doc/html/rfc896
 */
function socketOpener(): (address: DriverAddress) => Socket & { host?: string | undefined } {
  let attempts = 0
  return ({ host: hosts, port: ports, path }) => {
    if (path) return connectSocket({ path })
    const at = attempts++ % ports.length
    const [host, port = 5432] = [hosts[at], ports[at]]
    return Object.assign(connectSocket({ ...(host && { host }), port, noDelay: true }), { host })
  }
}

/** The options as the driver has understood them. */
interface DriverAddress {
  readonly host: readonly string[]
  readonly port: readonly number[]
  readonly path?: string
}

/** Drizzle's column types parse times themselves and want them as Postgres wrote them. */
const textualMoments = {
  to: 1184,
  from: [1082, 1083, 1114, 1184],
  serialize: (value: unknown) => (value instanceof Date ? value.toISOString() : value),
  parse: (value: string) => value,
}

/** `text[]`: the driver would have to ask each new connection how to read arrays. */
const textArray = {
  to: 1009,
  from: [1009],
  serialize: (value: unknown) => (Array.isArray(value) ? makePgArray(value) : value),
  parse: parsePgArray,
}

interface ConnectionState {
  isOpen: boolean
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
    const answer = send()
    if (!hasAnswered) {
      // Statements that were sent in one write with the first wait for the connection together with it.
      const either = () => undefined
      firstAnswer ??= answer.then(either, either)
      answer.catch(either)
      await patience.wait(firstAnswer, connectPatienceMs, onSilence)
      hasAnswered = true
    }
    try {
      return await patience.wait(answer, usualPatienceMs, onSilence)
    } catch (error) {
      throw asUnavailable(error)
    }
  }
  const arraysOf =
    (prepare: boolean) =>
    (text: string, params: readonly unknown[] = []) =>
      answered(text, () => {
        const rows = client.unsafe(text, params as never[], { prepare }).values()
        // The driver sends when it is told to, and what is told first is sent first.
        return rows.execute() as Promise<unknown[][]>
      })
  return {
    get isOpen() {
      return state.isOpen
    },
    send: (text, params = []) =>
      answered(text, () => client.unsafe<Row[]>(text, params as never[], { prepare: true }).execute()),
    sendForArrays: arraysOf(true),
    sendUnprepared: arraysOf(false),
  }
}

/** Giving up on a statement gives up on its connection too: its answer could still come, in the next transaction. */
function givenUp(state: ConnectionState): DatabaseUnavailable {
  state.isOpen = false
  return new DatabaseUnavailable('The database did not answer in time')
}

function asUnavailable(error: unknown): unknown {
  if (error instanceof DatabaseUnavailable || !isUnavailable(error)) return error
  return new DatabaseUnavailable('The database did not answer', { cause: error })
}
