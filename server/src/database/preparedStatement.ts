import { type Column, eq, is, Param, Placeholder, type SQL, sql } from 'drizzle-orm'
import { drizzle, type PgRemoteDatabase, type RemoteCallback } from 'drizzle-orm/pg-proxy'
import { postgresJsCodecs } from 'drizzle-orm/postgres-js'

/** What a statement of one tenant is written with. */
export interface TenantScope {
  readonly db: PgRemoteDatabase
  /** The predicate that every statement has to name for each of its tenant tables. */
  mine(table: { readonly tenantId: Column }): SQL
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

/** What `write` returns: a query of Drizzle with `sql.placeholder(…)` in the place of values. */
interface Preparable<Row> {
  prepare(): { getQuery(): { readonly params: unknown[] }; execute(values: StatementValues): Promise<Row[]> }
}

/** The name is no caller's to fill. */
const tenant = sql.placeholder('tenant')

const scope: TenantScope = {
  db: drizzle((text, params, method) => sendOfTheMoment(text, params, method), { codecs: postgresJsCodecs, jit: true }),
  mine: (table) => eq(table.tenantId, sql.param(tenant, table.tenantId)),
}

/** A statement that is sent outside its transaction has nowhere to go. */
const nowhere: RemoteCallback = () => Promise.reject(new Error('A prepared statement was run outside a transaction'))

/** Set only while `execute` runs, which Drizzle calls it from before it returns: no other work comes between. */
let sendOfTheMoment = nowhere

/** Throws when a value is in the text's parameters: it would be that of the first caller for all who follow. */
export function prepareStatement<Row>(write: (tx: TenantScope) => Preparable<Row>): PreparedStatement<Row> {
  const query = write(scope).prepare()
  const values = query.getQuery().params.filter((param) => !is(is(param, Param) ? param.value : param, Placeholder))
  if (values.length > 0) throw new Error(`${values.length} values of a prepared statement are no placeholders`)
  return {
    execute(values, tenantId, send) {
      sendOfTheMoment = send
      try {
        return query.execute({ ...values, tenant: tenantId })
      } finally {
        sendOfTheMoment = nowhere
      }
    },
  }
}

/** Prepares each statement when it is first asked for, by a key out of few: what is prepared is kept for good. */
export function prepareByKey<Row>() {
  const known = new Map<string, PreparedStatement<Row>>()
  return (key: string, write: (tx: TenantScope) => Preparable<Row>): PreparedStatement<Row> => {
    const statement = known.get(key) ?? prepareStatement(write)
    known.set(key, statement)
    return statement
  }
}
