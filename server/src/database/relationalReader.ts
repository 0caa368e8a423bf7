import { relations, type Relations } from './relations.ts'
import type { TenantDatabase } from './tenantDatabase.ts'

export type RelationalTable = keyof Relations

/** The configuration of a relational query of Drizzle. `plugin-drizzle` types it where it is written. */
export interface RelationalQuery {
  readonly where?: object | undefined
  readonly [clause: string]: unknown
}

export type RelationalRow = Record<string, unknown>

/** Reads rows of one tenant by relational queries, each in its own transaction. */
export interface RelationalReader {
  readonly _: { readonly relations: Relations }
  readonly query: Record<RelationalTable, { findMany(query?: RelationalQuery): Promise<RelationalRow[]> }>
}

/**
 * Adds the tenant to the condition of each query. Relations tie the related rows to it. The statements pass both locks
 * of the tenant transaction, so a statement without the tenant is refused and not sent.
 */
export function relationalReader(database: TenantDatabase, tenantId: string): RelationalReader {
  const readerOf = (table: RelationalTable) => ({
    findMany: (query: RelationalQuery = {}) => {
      const isTenant = table === 'tenants' ? { id: tenantId } : { tenantId }
      const where = { AND: query.where ? [isTenant, query.where] : [isTenant] }
      return database.readOnce(tenantId, (tx) => findMany(tx.relational[table])({ ...query, where }))
    },
  })
  const tables = Object.keys(relations) as RelationalTable[]
  return {
    _: { relations },
    query: Object.fromEntries(tables.map((table) => [table, readerOf(table)])) as RelationalReader['query'],
  }
}

type FindMany = (query: RelationalQuery) => PromiseLike<RelationalRow[]>

/** The types of a query depend on its table, which is known only where the query is written. */
const findMany = (table: { findMany(query: never): unknown }): FindMany => table.findMany.bind(table) as never
