import type postgres from 'postgres'
import { connect, type Connection, type ConnectionOptions, connectionOver, type ConnectionState } from './connection.ts'
import { DatabaseUnavailable } from './databaseUnavailable.ts'
import { Servers } from './servers.ts'

export interface ConnectionPoolOptions extends ConnectionOptions {
  readonly size: number
  /** How long a caller waits for a free connection. Default: 10 s. */
  readonly leaseTimeoutMs?: number
  /** A connection is closed after at most this time, between two transactions. Default: 30 min. */
  readonly maxAgeMs?: number
}

/** The use of a pool at one moment. */
export interface PoolLoad {
  readonly size: number
  readonly busy: number
  /** Callers that wait for a connection. */
  readonly waiting: number
}

/** A connection can lead to a server that is no longer the right one, for example behind a name that moved. */
const usualMaxAgeMs = 30 * 60_000

interface Slot {
  readonly client: postgres.Sql
  readonly connection: Connection
  readonly state: ConnectionState
  /** In terms of `performance.now()`, as `endsAt`. */
  readonly openedAt: number
  readonly endsAt: number
}

/** Lets the server end the session. */
const closeSlot = ({ client }: Slot): void => void client.end({ timeout: 5 }).catch(() => undefined)

/**
 * Lends single connections. Each slot has its own client with one connection, because a connection in doubt must be
 * destroyed alone. The driver's own pool cannot do that.
 */
export class ConnectionPool {
  readonly #options: ConnectionPoolOptions
  readonly #servers: Servers
  readonly #idle: Slot[] = []
  readonly #waiting: { resolve: (slot: Slot) => void; reject: (error: Error) => void; timer: NodeJS.Timeout }[] = []
  readonly #lent = new Set<Slot>()
  #closed = false
  /** Connections that were opened before lead to a server in doubt. */
  #trustedSince = 0

  constructor(options: ConnectionPoolOptions) {
    this.#options = options
    this.#servers = new Servers(options.url)
  }

  /** Runs `work` on a connection that no other caller uses meanwhile. Destroys the connection if `work` rejects. */
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

  load(): PoolLoad {
    return { size: this.#options.size, busy: this.#lent.size, waiting: this.#waiting.length }
  }

  /** Closes every connection. Connections that are lent get a short time to finish. */
  async close(): Promise<void> {
    this.#closed = true
    for (const waiting of this.#waiting.splice(0)) this.#refuse(waiting)
    const slots = [...this.#idle.splice(0), ...this.#lent]
    await Promise.all(slots.map((slot) => slot.client.end({ timeout: 5 })))
  }

  async #lease(): Promise<Slot> {
    if (this.#closed) throw new DatabaseUnavailable('The connection pool is closed')
    const idle = this.#takeIdle()
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

  /** An idle connection that may be lent again. Closes the others on the way. */
  #takeIdle(): Slot | undefined {
    for (let slot = this.#idle.pop(); slot; slot = this.#idle.pop()) {
      if (!this.#isOver(slot)) return slot
      closeSlot(slot)
    }
    return undefined
  }

  #isOver({ openedAt, endsAt }: Slot): boolean {
    return performance.now() >= endsAt || openedAt < this.#trustedSince
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
    if (slot.state.isServerInDoubt) this.#trustedSince = performance.now()
    // A discarded connection is not closed gracefully: its socket is destroyed at once.
    if (!reusable) void slot.client.end({ timeout: 0 }).catch(() => undefined)
    const isKept = reusable && !this.#isOver(slot)
    if (reusable && !isKept) closeSlot(slot)
    const next = this.#waiting.shift()
    if (next) {
      clearTimeout(next.timer)
      next.resolve(this.#lendOut(isKept ? slot : this.#open()))
    } else if (isKept && !this.#closed) {
      this.#idle.push(slot)
    }
  }

  #open(): Slot {
    const state = { isOpen: true, isServerInDoubt: false, connectPatienceMs: this.#servers.patienceMs }
    const onClose = () => {
      state.isOpen = false
      this.#forget(slot)
    }
    const client = connect(this.#options, onClose, this.#servers)
    const openedAt = performance.now()
    // Different for each connection, so that they are not all replaced at the same time.
    const endsAt = openedAt + (this.#options.maxAgeMs ?? usualMaxAgeMs) * (0.8 + 0.2 * Math.random())
    const slot: Slot = { client, state, openedAt, endsAt, connection: connectionOver(client, state, this.#options) }
    return slot
  }

  /** Removes an idle connection that the server closed, so that it is not lent again. */
  #forget(slot: Slot): void {
    const at = this.#idle.indexOf(slot)
    if (at >= 0) this.#idle.splice(at, 1)
  }
}
