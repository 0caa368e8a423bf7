import { type Column, eq, is, Param, Placeholder, type SQL, sql } from 'drizzle-orm'
import { drizzle, type PgRemoteDatabase, type RemoteCallback } from 'drizzle-orm/pg-proxy'
import { postgresJsCodecs } from 'drizzle-orm/postgres-js'
import { LRUCache } from 'lru-cache'

/** The scope in which a statement of one tenant is written. */
export interface TenantScope {
  readonly db: PgRemoteDatabase
  /** The predicate that every statement must contain for each of its tenant tables. */
  inTenant(table: { readonly tenantId: Column }): SQL
}

/** Values by the name of their placeholder. */
export type StatementValues = Readonly<Record<string, unknown>>

/**
 * A statement whose text is written once and then run by any transaction of any tenant, with `Transaction.run`. Writing
 * the text of a list takes longer than reading its rows.
 */
export interface PreparedStatement<Row> {
  /** Rejects and sends nothing if a placeholder has no value. */
  execute(values: StatementValues, tenantId: string, send: RemoteCallback): Promise<Row[]>
}

/** A query of Drizzle with `sql.placeholder(…)` in place of values. */
interface Preparable<Row> {
  prepare(): { getQuery(): { readonly params: unknown[] }; execute(values: StatementValues): Promise<Row[]> }
}

const scope: TenantScope = {
  db: drizzle((text, params, method) => sendOfTheMoment(text, params, method), { codecs: postgresJsCodecs, jit: true }),
  inTenant: (table) => eq(table.tenantId, sql.placeholder('tenant')),
}

/** Rejects statements that are sent outside a transaction. */
const nowhere: RemoteCallback = () => Promise.reject(new Error('A prepared statement was run outside a transaction'))

/**
 * Where the statement that `execute` runs is sent. It is set only while `execute` is on the stack: Drizzle sends before
 * `execute` returns, so no other work can see it. If a later version of Drizzle sent afterwards, its statements would
 * reach `nowhere` and be rejected. They could not use the transaction of another tenant. `preparedStatement.test.ts`
 * tests both.
 */
let sendOfTheMoment = nowhere

/** Throws if the query contains a value instead of a placeholder: every later call would use the value of the first. */
export function prepareStatement<Row>(write: (tx: TenantScope) => Preparable<Row>): PreparedStatement<Row> {
  const query = write(scope).prepare()
  const frozen = query.getQuery().params.filter((param) => !is(is(param, Param) ? param.value : param, Placeholder))
  if (frozen.length > 0) throw new Error(`${frozen.length} values of a prepared statement are not placeholders`)
  return {
    execute(values, tenantId, send) {
      sendOfTheMoment = send
      try {
        // Set the tenant last so that a caller cannot override it.
        return query.execute({ ...values, tenant: tenantId })
      } finally {
        sendOfTheMoment = nowhere
      }
    },
  }
}

/** More than are in use at a time, one per combination of filters. A statement takes less than 30 kB. */
const keptStatements = 100

/** Keeps the most recently used statements of one list, by the key that their texts depend on. */
export function prepareByKey<Row>() {
  const known = new LRUCache<string, PreparedStatement<Row>>({ max: keptStatements })
  return (key: string, write: (tx: TenantScope) => Preparable<Row>): PreparedStatement<Row> => {
    const found = known.get(key)
    if (found) return found
    const statement = prepareStatement(write)
    known.set(key, statement)
    return statement
  }
}
