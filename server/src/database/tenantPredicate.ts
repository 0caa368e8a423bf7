import { getTableName } from 'drizzle-orm'
import { LRUCache } from 'lru-cache'
import { cleanupRuns, orphanObjects, sweepSchedule } from './tables/cleanupTables.ts'
import { attachments, blobs, files, fileVersions } from './tables/fileTables.ts'
import { apiKeys, memberships, principals, tenantUsage } from './tables/identityTables.ts'
import { auditLog, events } from './tables/journalTables.ts'
import { uploads } from './tables/uploadTables.ts'

/** Every table with a `tenant_id`; `catalogue.test.ts` compares the list with the database. */
export const tenantTableNames: ReadonlySet<string> = new Set(
  [
    apiKeys,
    attachments,
    auditLog,
    blobs,
    cleanupRuns,
    events,
    files,
    fileVersions,
    memberships,
    orphanObjects,
    principals,
    sweepSchedule,
    tenantUsage,
    uploads,
  ].map((table) => getTableName(table)),
)

/** A statement did not name its tenant. Always a defect, never a fault of the caller. */
export class TenantPredicateMissing extends Error {
  override readonly name = 'TenantPredicateMissing'
}

/**
 * The first lock of the tenant boundary. Refuses a statement unless every tenant table in it is tied to `tenantId`, by
 * `alias.tenant_id = $n` or by a join on `tenant_id`, and unless every row that it inserts has that tenant.
 *
 * It parses only the SQL that this code base writes and refuses everything that it does not understand. It does not
 * detect a predicate such as `… or true`: row-level security does.
 */
export function assertTenantPredicate(text: string, params: readonly unknown[], tenantId: string): void {
  for (const index of tenantParams(text)) {
    if (params[index] !== tenantId)
      throw new TenantPredicateMissing(`Parameter $${index + 1} is not the tenant: ${text}`)
  }
}

/** Refuses a statement with a tenant table. For queries that run before the tenant is known. */
export function assertNoTenantTable(text: string): void {
  const table = tokensOf(text).find((token) => tenantTableNames.has(nameOf(token)) || nameOf(token) === 'tenants')
  if (table !== undefined) throw new TenantPredicateMissing(`${table} needs a tenant transaction: ${text}`)
}

const known = new LRUCache<string, readonly number[]>({ max: 2_000 })

/** The indexes of the parameters that must be the tenant. The result depends only on the text. */
function tenantParams(text: string): readonly number[] {
  const found = known.get(text)
  if (found) return found
  const params = readStatement(text)
  known.set(text, params)
  return params
}

function readStatement(text: string): number[] {
  const tokens = tokensOf(text)
  const refuse = (why: string): never => {
    throw new TenantPredicateMissing(`${why}: ${text}`)
  }
  if (!['select', 'insert', 'update', 'delete', 'with'].includes(tokens[0]?.toLowerCase() ?? '')) {
    return refuse('Only queries run in a tenant transaction')
  }
  if (tokens.some((token) => [';', '--', '/*'].includes(token) || nameOf(token).startsWith('set_tenant'))) {
    return refuse('Comments, several statements and set_tenant are refused')
  }
  const { aliases, inserts } = tableReferences(tokens, refuse)
  const params = new Set(inserts.flatMap((at) => insertedTenants(tokens, at, refuse)))
  const untied = tie(tokens, aliases, params)
  if (untied.length > 0) return refuse(`No tenant predicate for ${untied.join(', ')}`)
  return [...params]
}

/** The aliases of tenant tables, how often each occurs, and where rows are inserted. */
function tableReferences(tokens: readonly string[], refuse: (why: string) => never) {
  const aliases = new Map<string, number>()
  const inserts: number[] = []
  tokens.forEach((token, at) => {
    const name = nameOf(token)
    const isTenants = name === 'tenants'
    if ((!tenantTableNames.has(name) && !isTenants) || token.startsWith("'")) return
    // A name after `as` is an alias.
    if (tokens[at - 1]?.toLowerCase() === 'as') return
    if (tokens[at - 1] === '.') refuse('Schema-qualified names are refused')
    if (tokens[at + 1] === '.') return
    if (tokens[at - 1]?.toLowerCase() === 'of' && tokens[at - 2]?.toLowerCase() === 'update') return
    if (tokens[at - 1]?.toLowerCase() === 'into') {
      inserts.push(at)
      return
    }
    const next = tokens[at + 1]?.toLowerCase() === 'as' ? tokens[at + 2] : tokens[at + 1]
    const alias = next !== undefined && isIdentifier(next) && !clauseWords.has(next.toLowerCase()) ? nameOf(next) : name
    const column = isTenants ? `${alias}:id` : `${alias}:tenant_id`
    aliases.set(column, (aliases.get(column) ?? 0) + 1)
  })
  return { aliases, inserts }
}

/** The parameters for the tenant column in `insert into t (columns) values (…), (…)`. */
function insertedTenants(tokens: readonly string[], at: number, refuse: (why: string) => never): number[] {
  const column = nameOf(tokens[at] ?? '') === 'tenants' ? 'id' : 'tenant_id'
  const columns = parenthesised(tokens, at + 1)
  const position = columns.items.findIndex((item) => item.length === 1 && nameOf(item[0] ?? '') === column)
  if (position < 0) refuse(`Inserted without ${column}`)
  if (tokens[columns.end]?.toLowerCase() !== 'values') refuse('Only VALUES are inserted')
  const params: number[] = []
  let next = columns.end + 1
  for (;;) {
    const row = parenthesised(tokens, next)
    params.push(
      paramIndex(row.items[position]?.[0]) ?? refuse(`Inserted with something else than a parameter as ${column}`),
    )
    if (tokens[row.end] !== ',') return params
    next = row.end + 1
  }
}

/** The comma-separated items of the parenthesis that opens at `start`, and the position after it. */
function parenthesised(tokens: readonly string[], start: number): { items: string[][]; end: number } {
  if (tokens[start] !== '(') return { items: [], end: start }
  const items: string[][] = [[]]
  let depth = 0
  for (let at = start; at < tokens.length; at += 1) {
    const token = tokens[at] ?? ''
    if (token === '(') depth += 1
    if (token === ')') depth -= 1
    if (depth === 0) return { items, end: at + 1 }
    if (token === ',' && depth === 1) items.push([])
    else if (at > start) items.at(-1)?.push(token)
  }
  return { items, end: tokens.length }
}

/**
 * Follows `a.tenant_id = $n` and `a.tenant_id = b.tenant_id`. Adds to `params` and returns the aliases that are not
 * tied. An alias that occurs several times, as in subqueries, needs as many predicates.
 */
function tie(tokens: readonly string[], aliases: ReadonlyMap<string, number>, params: Set<number>): string[] {
  const grounded = new Set<string>()
  const predicates = new Map<string, number>()
  const links: (readonly [string, string])[] = []
  for (const { columns, param } of equalities(tokens)) {
    if (columns.some((column) => !aliases.has(column))) continue
    for (const column of columns) predicates.set(column, (predicates.get(column) ?? 0) + 1)
    const [one, other] = columns
    if (one && other) links.push([one, other])
    else if (one && param !== undefined) {
      grounded.add(one)
      params.add(param)
    }
  }
  for (let before = -1; before !== grounded.size;) {
    before = grounded.size
    for (const link of links)
      if (link.some((column) => grounded.has(column))) for (const column of link) grounded.add(column)
  }
  return [...aliases.keys()].filter(
    (alias) => !grounded.has(alias) || (predicates.get(alias) ?? 0) < (aliases.get(alias) ?? 0),
  )
}

/** Each `=` between two qualified columns, or between a column and a parameter. */
function equalities(tokens: readonly string[]): { columns: string[]; param: number | undefined }[] {
  return tokens.flatMap((token, at) => {
    if (token !== '=') return []
    const left = columnEndingAt(tokens, at - 1)
    const right = columnStartingAt(tokens, at + 1)
    const param = paramIndex(left ? tokens[at + 1] : tokens[at - 1])
    const columns = [left, right].filter((column) => column !== undefined)
    return columns.length === 2 || (columns.length === 1 && param !== undefined) ? [{ columns, param }] : []
  })
}

const columnEndingAt = (tokens: readonly string[], end: number) => columnStartingAt(tokens, end - 2)

function columnStartingAt(tokens: readonly string[], start: number): string | undefined {
  const [alias, dot, column] = tokens.slice(Math.max(start, 0), start + 3)
  if (alias === undefined || dot !== '.' || column === undefined) return undefined
  return `${nameOf(alias)}:${nameOf(column)}`
}

function paramIndex(token: string | undefined): number | undefined {
  return token?.startsWith('$') ? Number(token.slice(1)) - 1 : undefined
}

const tokensOf = (text: string) =>
  text.match(/"(?:[^"]|"")*"|'(?:[^']|'')*'|\$\d+|--|\/\*|<=|>=|<>|!=|::|[A-Za-z_][A-Za-z0-9_]*|[^\s]/g) ?? []

const isIdentifier = (token: string) => /^["A-Za-z_]/.test(token)

/** The name of an identifier: lower case if it is bare, without the quotes if it is quoted. */
const nameOf = (token: string) =>
  token.startsWith('"') ? token.slice(1, -1).replaceAll('""', '"') : token.toLowerCase()

const clauseWords = new Set(
  (
    'as on using where set inner left right full cross natural join order group having limit offset for values returning ' +
    'default select union intersect except window fetch from lateral'
  ).split(' '),
)
