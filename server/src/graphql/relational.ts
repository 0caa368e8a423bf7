import { getSchemaConfig, queryFromInfo } from '@pothos/plugin-drizzle'
import type { GraphQLResolveInfo } from 'graphql'
import { readingRelations } from '../domain/context.ts'
import type { PageArguments } from '../domain/paging/page.ts'
import { allOf, type Condition, relationalPage, type RelationalOrder } from '../domain/paging/relationalPage.ts'
import { builder, connectionOf } from './builder.ts'
import { callerOf, type RequestContext } from './requestContext.ts'

/*
 * Reads rows with one relational query. `plugin-drizzle` plans its columns and relations from the client's selection.
 * The hot lists use prepared statements instead.
 */

/** A type that `builder.drizzleObject` created. */
interface RelationalType<Row> {
  readonly name: string
  readonly tableName: string
  readonly $inferType: Row
}

/** The arguments of a field and its resolver. */
interface Asked {
  readonly context: RequestContext
  readonly info: GraphQLResolveInfo
  /** The condition on the rows. The tenant is added to it. */
  readonly where?: Condition
}

interface Clauses {
  readonly columns?: Readonly<Record<string, true>>
  readonly where: Condition
  readonly limit: number
  readonly orderBy?: unknown
  /** The paths from the field to the rows. If it is missing, the field itself is the row. */
  readonly paths?: string[][]
}

/** Reads one page of a connection. Throws `BadInput` for invalid page arguments, as all lists do. */
export async function readPage<Row>(
  type: RelationalType<Row>,
  order: RelationalOrder,
  args: PageArguments,
  { where, ...asked }: Asked,
) {
  const page = relationalPage(order, args)
  const clauses = { ...page.clauses, where: allOf(where, page.clauses.where), paths: [['edges', 'node'], ['nodes']] }
  const rows = await readRows(type, clauses, asked)
  return connectionOf(page.toPage(rows as (Row & Record<string, unknown>)[]), {})
}

/** Reads rows by their ids, in that order. An entry is null if the row does not exist in the tenant. */
export async function readByIds<Row>(
  type: RelationalType<Row>,
  ids: readonly string[],
  { where, ...asked }: Asked,
): Promise<(Row | null)[]> {
  const among = allOf({ id: { in: ids } }, where)
  const rows = await readRows(type, { columns: { id: true }, where: among, limit: ids.length }, asked)
  const byId = new Map(rows.map((row) => [(row as { id?: unknown }).id, row]))
  return ids.map((id) => byId.get(id) ?? null)
}

/** Reads the row of which each tenant has exactly one. */
export async function readOwn<Row>(type: RelationalType<Row>, asked: Asked): Promise<Row> {
  const [row] = await readRows(type, { where: undefined, limit: 1 }, asked)
  if (!row) throw new Error(`The tenant has no row for ${type.name}`)
  return row
}

async function readRows<Row>(type: RelationalType<Row>, clauses: Clauses, { context, info }: Asked): Promise<Row[]> {
  const { [info.fieldName]: field } = info.parentType.getFields()
  if (!field?.extensions['relational'])
    throw new Error(`${String(info.parentType)}.${info.fieldName} is not relational`)
  const config = getSchemaConfig(builder)
  const query = queryFromInfo({ config, context, info, typeName: type.name, ...clauses } as never)
  const { query: tables } = readingRelations(callerOf(context))
  return (await tables[type.tableName as keyof typeof tables].findMany(query)) as Row[]
}
