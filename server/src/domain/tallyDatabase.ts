import type { PgRemoteDatabase } from 'drizzle-orm/pg-proxy'
import type { CheckedKey, KeyedDatabase, TenantDatabase, Transaction } from '../database/tenantDatabase.ts'
import type { RequestTally } from './requestTally.ts'

/** The database of one request. Adds the time of each transaction to the tally of the request. */
export class TallyDatabase implements KeyedDatabase {
  readonly #database: TenantDatabase & Partial<Pick<KeyedDatabase, 'keyStands'>>
  readonly #tally: RequestTally

  constructor(database: TenantDatabase, tally: RequestTally) {
    this.#database = database
    this.#tally = tally
  }

  get keyStands(): boolean | null {
    return this.#database.keyStands ?? null
  }

  write<T>(tenantId: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#timed(this.#database.write(tenantId, work))
  }

  read<T>(tenantId: string, work: (tx: Transaction) => Promise<T>): Promise<T> {
    return this.#timed(this.#database.read(tenantId, work))
  }

  readOnce<T>(tenantId: string, work: (tx: Transaction) => PromiseLike<T>): Promise<T> {
    return this.#timed(this.#database.readOnce(tenantId, work))
  }

  lookUp<T>(work: (db: PgRemoteDatabase) => Promise<T>): Promise<T> {
    return this.#timed(this.#database.lookUp(work))
  }

  forKey(key: CheckedKey): KeyedDatabase {
    return new TallyDatabase(this.#database.forKey(key), this.#tally)
  }

  load() {
    return this.#database.load()
  }

  close(): Promise<void> {
    return this.#database.close()
  }

  async #timed<T>(transaction: Promise<T>): Promise<T> {
    const began = performance.now()
    try {
      return await transaction
    } finally {
      this.#tally.databaseMs += performance.now() - began
    }
  }
}
