import { and, eq, type SQL, sql } from 'drizzle-orm'
import { isAnyOf } from '../../../database/conditions.ts'
import { prepareByKey } from '../../../database/preparedStatement.ts'
import { principals } from '../../../database/tables/identityTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { type Context, type PrincipalKind, readingOnce } from '../../context.ts'
import { limits } from '../../limits.ts'
import { inOrder, type Order, type Page, type PageArguments, pageRequest } from '../../paging/page.ts'
import { BadInput } from '../../refusals.ts'

/** The public view of a principal. */
export interface KnownPrincipal {
  readonly id: string
  readonly kind: PrincipalKind
  readonly name: string
  readonly email: string | null
}

const shown = { id: principals.id, kind: principals.kind, name: principals.name, email: principals.email }

/** Principals of the tenant by id, in any order. */
export const findPrincipals = (tx: Transaction, ids: readonly string[]): Promise<KnownPrincipal[]> =>
  tx.db
    .select(shown)
    .from(principals)
    .where(and(tx.inTenant(principals), isAnyOf(principals.id, ids)))

const byName: Order = {
  list: 'principals',
  kinds: ['text', 'uuid'],
  columns: [principals.searchText, principals.id],
  descending: false,
}

interface ListedPrincipal extends KnownPrincipal {
  readonly searchText: string
}

const lists = prepareByKey<ListedPrincipal>()

/**
 * The principals of the tenant by name, including former members and revoked keys. `search` keeps those whose name or
 * e-mail address contains each of its words, ignoring case and accents. Null or blank keeps all. Throws `BadInput` if
 * the search is too long or contains characters that Postgres cannot store.
 */
export async function listPrincipals(
  ctx: Context,
  search: string | null,
  args: PageArguments,
): Promise<Page<KnownPrincipal>> {
  if (search !== null && (Array.from(search).length > limits.searchCharacters || search.includes('\0')))
    throw new BadInput(`\`search\` has at most ${limits.searchCharacters} characters, and none of them is NUL.`)
  const page = pageRequest(byName, args)
  const isSearch = search !== null && search.trim() !== ''
  const statement = lists(`${isSearch} ${page.shape}`, (tx) => {
    const { where, limit } = page.prepared()
    // Postgres scans only the index up to the limit, and then looks up the rows of the page by key.
    const found = tx.db
      .select({ id: principals.id, searchText: principals.searchText })
      .from(principals)
      .where(and(tx.inTenant(principals), isSearch ? matchesEachWord : undefined, where))
      .orderBy(page.orderBy)
      .limit(limit)
      .as('found')
    return tx.db
      .select({ ...shown, searchText: found.searchText })
      .from(found)
      .innerJoin(principals, and(tx.inTenant(principals), eq(principals.id, found.id)))
      .orderBy(inOrder([found.searchText, found.id], page.descending))
  })
  const rows = await readingOnce(ctx, (tx) => tx.run(statement, { search, ...page.values }))
  return page.toConnection(rows, ({ searchText, id }) => [searchText, id])
}

/**
 * A subquery builds the patterns once per statement instead of once per row, because the plan does not know the value.
 * `coalesce` hides LIKE from the planner, which would estimate so few matches that it sorts them instead of walking the
 * index in order.
 */
const matchesEachWord: SQL = sql`coalesce(${principals.searchText} like all ((select search_patterns(${sql.placeholder('search')}))::text[]), false)`
