import type postgres from 'postgres'
import { connect, type Connection, type ConnectionOptions, connectionOver } from './connection.ts'
import { DatabaseUnavailable } from './databaseUnavailable.ts'
import { Servers } from './servers.ts'

export interface ConnectionPoolOptions extends ConnectionOptions {
  readonly size: number
  /** How long a caller waits for a free connection. Default: 10 s. */
  readonly leaseTimeoutMs?: number
}

/** The use of a pool at one moment. */
export interface PoolLoad {
  readonly size: number
  readonly busy: number
  /** Callers that wait for a connection. */
  readonly waiting: number
}

interface Slot {
  readonly client: postgres.Sql
  connection: Connection
}

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
    // A discarded connection is not closed gracefully: its socket is destroyed at once.
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
    const state = { isOpen: true, connectPatienceMs: this.#servers.patienceMs }
    const onClose = () => {
      state.isOpen = false
      this.#forget(slot)
    }
    const client = connect(this.#options, onClose, this.#servers)
    const slot: Slot = { client, connection: connectionOver(client, state, this.#options) }
    return slot
  }

  /** Removes an idle connection that the server closed, so that it is not lent again. */
  #forget(slot: Slot): void {
    const at = this.#idle.indexOf(slot)
    if (at >= 0) this.#idle.splice(at, 1)
  }
}
