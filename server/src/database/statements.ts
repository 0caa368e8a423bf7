import type { Connection, Row } from './connection.ts'
import { assertNoTenantTable, assertTenantPredicate } from './tenantPredicate.ts'

/** A statement was sent on a transaction that had ended. Always a defect. */
export class TransactionOver extends Error {
  override readonly name = 'TransactionOver'
}

export interface StatementRules {
  /** Null if the transaction reads rows that belong to no tenant. */
  readonly tenantId: string | null
  /** True if the transaction ends after its first statement. */
  readonly isSingle: boolean
}

interface Answer {
  readonly rows: (Row | unknown[])[]
}

/** The statements of an open transaction. */
export class Statements {
  readonly #connection: Connection
  readonly #tenantId: string | null
  #isSingle: boolean
  readonly #running = new Set<Promise<unknown>>()
  #failure: unknown
  #over = false

  /** Set once the COMMIT has been sent after the last statement. */
  committed: Promise<unknown> | undefined

  constructor(connection: Connection, { tenantId, isSingle }: StatementRules) {
    this.#connection = connection
    this.#tenantId = tenantId
    this.#isSingle = isSingle
  }

  readonly run = (text: string, params: unknown[], method: 'all' | 'execute'): Promise<Answer> =>
    this.#run(text, params, () =>
      method === 'all' ? this.#connection.sendForArrays(text, params) : this.#connection.send(text, params),
    )

  /** For texts that depend on clients. */
  readonly runUnprepared = (text: string, params: unknown[]): Promise<Answer> =>
    this.#run(text, params, () => this.#connection.sendUnprepared(text, params))

  async #run(text: string, params: unknown[], send: () => Promise<(Row | unknown[])[]>): Promise<Answer> {
    if (this.#over) throw new TransactionOver('The transaction has ended; this statement was not sent')
    if (this.#tenantId === null) assertNoTenantTable(text)
    else assertTenantPredicate(text, params, this.#tenantId)
    const sent = send()
    this.#running.add(sent)
    if (this.#isSingle) this.#commit()
    try {
      return { rows: await sent }
    } catch (error) {
      // Postgres has aborted the transaction, even if the caller handles the error.
      this.#failure ??= error
      throw error
    } finally {
      this.#running.delete(sent)
    }
  }

  /** Makes the next statement the last: the COMMIT goes out in the same write. */
  commitBehindNext(): void {
    this.#isSingle = true
  }

  /** After a failed statement, the COMMIT rolls back. */
  #commit(): void {
    this.#over = true
    this.committed = this.#connection.send('commit')
    this.committed.catch(() => undefined)
  }

  /** Accepts no more statements, waits for the running ones, and returns the first error. */
  async end(): Promise<unknown> {
    this.#over = true
    const forgotten = this.#running.size
    await Promise.allSettled(this.#running)
    if (forgotten > 0)
      return new TransactionOver(`${forgotten} statements were still running when their transaction ended`)
    return this.#failure
  }
}
