import { type Column, eq, is, Param, Placeholder, type SQL, sql } from 'drizzle-orm'
import { drizzle, type PgRemoteDatabase, type RemoteCallback } from 'drizzle-orm/pg-proxy'
import { postgresJsCodecs } from 'drizzle-orm/postgres-js'
import { LRUCache } from 'lru-cache'

/** What a statement of one tenant is written with. */
export interface TenantScope {
  readonly db: PgRemoteDatabase
  /** The predicate that every statement has to name for each of its tenant tables. */
  inTenant(table: { readonly tenantId: Column }): SQL
}

/** By the names of the placeholders. */
export type StatementValues = Readonly<Record<string, unknown>>

/**
 * A statement whose text is written once and then run by any transaction of any tenant: `Transaction.run`. To write the
 * text of a list takes longer than to read its rows.
 */
export interface PreparedStatement<Row> {
  /** Rejects, and sends nothing, when a placeholder has no value. */
  execute(values: StatementValues, tenantId: string, send: RemoteCallback): Promise<Row[]>
}

/** A query of Drizzle with `sql.placeholder(…)` in the place of values. */
interface Preparable<Row> {
  prepare(): { getQuery(): { readonly params: unknown[] }; execute(values: StatementValues): Promise<Row[]> }
}

const scope: TenantScope = {
  db: drizzle((text, params, method) => sendOfTheMoment(text, params, method), { codecs: postgresJsCodecs, jit: true }),
  inTenant: (table) => eq(table.tenantId, sql.placeholder('tenant')),
}

/** A statement that is sent outside its transaction has nowhere to go. */
const nowhere: RemoteCallback = () => Promise.reject(new Error('A prepared statement was run outside a transaction'))

/**
 * Where the statement goes that `execute` is running. It is set only while `execute` is on the stack, so that no other
 * work can see it: Drizzle sends before `execute` returns. If a version of Drizzle sent later, its statements would meet
 * `nowhere` and be refused; they could not go through the transaction of another. `preparedStatement.test.ts` holds both.
 */
let sendOfTheMoment = nowhere

/** Throws when a value is in the text's parameters: it would be that of the first caller for all who follow. */
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

/** More than are in use at a time: combinations of filters. A statement holds less than 30 kB. */
const keptStatements = 100

/** Keeps the statements of one list by whatever their texts depend on: those that were used last. */
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
