import { makePgArray, parsePgArray } from 'drizzle-orm/pg-core'
import postgres from 'postgres'
import { DatabaseUnavailable, isUnavailable } from './databaseUnavailable.ts'
import { appRole } from './migrate.ts'

export interface ConnectionPoolOptions {
  readonly url: string
  readonly size: number
  readonly applicationName: string
  /** The server ends a statement after this long; 15 s unless told. */
  readonly statementTimeoutMs?: number
  /** How long a caller waits for a free connection; 10 s unless told. */
  readonly leaseTimeoutMs?: number
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
  /** False once the socket has closed: whatever was begun on it is over, even though the driver could connect again. */
  readonly isOpen: boolean
}

interface Slot {
  readonly client: postgres.Sql
  connection: Connection
}

/**
 * Lends single connections. Each slot is a client of its own with one connection, because a connection whose state is in
 * doubt has to be destroyed alone, and the driver's own pool cannot do that.
 */
export class ConnectionPool {
  readonly #options: ConnectionPoolOptions
  readonly #idle: Slot[] = []
  readonly #waiting: { resolve: (slot: Slot) => void; reject: (error: Error) => void; timer: NodeJS.Timeout }[] = []
  readonly #lent = new Set<Slot>()
  #closed = false

  constructor(options: ConnectionPoolOptions) {
    this.#options = options
  }

  /** Runs `work` on a connection that no one else uses meanwhile. When `work` rejects, the connection is destroyed. */
  async lend<T>(work: (connection: Connection) => Promise<T>): Promise<T> {
    const slot = await this.#lease()
    let reusable = false
    try {
      const value = await work(slot.connection)
      reusable = slot.connection.isOpen
      return value
    } finally {
      this.#return(slot, reusable)
    }
  }

  /** Ends every connection, after a short while for those that are lent. */
  async close(): Promise<void> {
    this.#closed = true
    for (const waiting of this.#waiting.splice(0)) this.#refuse(waiting)
    const slots = [...this.#idle.splice(0), ...this.#lent]
    await Promise.all(slots.map((slot) => slot.client.end({ timeout: 5 })))
  }

  async #lease(): Promise<Slot> {
    if (this.#closed) throw new DatabaseUnavailable('The connection pool is closed')
    const idle = this.#idle.pop()
    if (idle) return this.#lendOut(idle)
    if (this.#lent.size < this.#options.size) return this.#lendOut(this.#open())
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiting.splice(this.#waiting.indexOf(waiting), 1)
        reject(new DatabaseUnavailable('No database connection became free in time'))
      }, this.#options.leaseTimeoutMs ?? 10_000)
      const waiting = { resolve, reject, timer }
      this.#waiting.push(waiting)
    })
  }

  #refuse(waiting: { reject: (error: Error) => void; timer: NodeJS.Timeout }): void {
    clearTimeout(waiting.timer)
    waiting.reject(new DatabaseUnavailable('The connection pool is closed'))
  }

  #lendOut(slot: Slot): Slot {
    this.#lent.add(slot)
    return slot
  }

  #return(slot: Slot, reusable: boolean): void {
    this.#lent.delete(slot)
    // Nobody waits for the end of a connection that is given up: its socket is destroyed at once.
    if (!reusable) void slot.client.end({ timeout: 0 }).catch(() => undefined)
    const next = this.#waiting.shift()
    if (next) {
      clearTimeout(next.timer)
      next.resolve(this.#lendOut(reusable ? slot : this.#open()))
    } else if (reusable && !this.#closed) {
      this.#idle.push(slot)
    }
  }

  #open(): Slot {
    const state = { isOpen: true }
    const client = connect(this.#options, () => {
      state.isOpen = false
      this.#forget(slot)
    })
    const slot: Slot = { client, connection: connectionOver(client, state, this.#options.onStatement) }
    return slot
  }

  /** An idle connection that the server closed must not be lent again. */
  #forget(slot: Slot): void {
    const at = this.#idle.indexOf(slot)
    if (at >= 0) this.#idle.splice(at, 1)
  }
}

function connect(options: ConnectionPoolOptions, onClose: () => void): postgres.Sql {
  return postgres(options.url, {
    max: 1,
    prepare: true,
    fetch_types: false,
    // The driver's own recycling could close the connection in the middle of a transaction that it does not know of.
    idle_timeout: 0,
    max_lifetime: null,
    connect_timeout: 5,
    backoff: () => 0,
    onnotice: () => undefined,
    onclose: onClose,
    types: { moment: textualMoments, textArray },
    connection: {
      application_name: options.applicationName,
      role: appRole,
      TimeZone: 'UTC',
      statement_timeout: options.statementTimeoutMs ?? 15_000,
      lock_timeout: 10_000,
      idle_in_transaction_session_timeout: 30_000,
    },
  })
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

function connectionOver(
  client: postgres.Sql,
  state: { isOpen: boolean },
  onStatement: (text: string) => void = () => undefined,
): Connection {
  const refuseWhenClosed = () => {
    if (!state.isOpen) throw new DatabaseUnavailable('The database connection was lost')
  }
  return {
    get isOpen() {
      return state.isOpen
    },
    async send(text, params = []) {
      refuseWhenClosed()
      onStatement(text)
      return client.unsafe<Row[]>(text, params as never[], { prepare: true }).catch(asUnavailable)
    },
    async sendForArrays(text, params = []) {
      refuseWhenClosed()
      onStatement(text)
      return client
        .unsafe(text, params as never[], { prepare: true })
        .values()
        .catch(asUnavailable) as Promise<unknown[][]>
    },
  }
}

function asUnavailable(error: unknown): never {
  if (isUnavailable(error)) throw new DatabaseUnavailable('The database did not answer', { cause: error })
  throw error
}
