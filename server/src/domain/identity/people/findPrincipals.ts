import { and, eq, type SQL, sql } from 'drizzle-orm'
import { isAnyOf } from '../../../database/conditions.ts'
import { prepareByKey } from '../../../database/preparedStatement.ts'
import { principals } from '../../../database/tables/identityTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { type Context, type PrincipalKind, readingOnce } from '../../context.ts'
import { limits } from '../../limits.ts'
import { inOrder, type Order, type Page, type PageArguments, pageRequest } from '../../paging/page.ts'
import { BadInput } from '../../refusals.ts'

/** A principal as others see it. */
export interface KnownPrincipal {
  readonly id: string
  readonly kind: PrincipalKind
  readonly name: string
  readonly email: string | null
}

const shown = { id: principals.id, kind: principals.kind, name: principals.name, email: principals.email }

/** Principals of the tenant by id, in no particular order. */
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
 * The principals of the tenant by name, those who have left and keys that were revoked included. `search` keeps those whose
 * name or e-mail address contains each of its words, whatever their case and accents; null or blank keeps all. Refuses
 * with `BadInput`: a search that is too long, or one that Postgres cannot read.
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
    // Postgres reads the index alone up to the limit, and looks up by key only the rows of the page.
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
 * The patterns come from a subquery, so that they are made once and not for each row: the plan does not know the value.
 * `coalesce` hides LIKE from the planner, which takes it for so rare that sorting the rows that match looks cheaper than to
 * walk the index in order.
 */
const matchesEachWord: SQL = sql`coalesce(${principals.searchText} like all ((select search_patterns(${sql.placeholder('search')}))::text[]), false)`
