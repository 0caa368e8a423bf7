import { useApolloClient, useQuery } from '@apollo/client/react'
import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react'
import type { ShellPartsQuery } from '../apollo/operations.ts'
import { LaterPages, type LaterPagesState, type ListSource, type PageSource } from './laterPages.ts'
import { type Offer, useNews } from './news.ts'
import type { RowPage } from './pageParts.ts'

export interface PagedRows<Row> extends LaterPagesState {
  /** Undefined if the row is not in memory. */
  readonly rowAt: (index: number) => Row | undefined
  /** Sets which rows are in view, `last` not included. */
  readonly onView: (first: number, last: number) => void
  readonly onMore: () => void
}

export interface List<Data, Row> extends PagedRows<Row> {
  /** Differs from list to list. */
  readonly key: string
  readonly data: Data | undefined
  readonly error: unknown
  readonly retry: () => void
  readonly refetch: () => Promise<unknown>
  readonly news: Offer | null
}

/** A list of any length, of which only the rows near the view are in memory. */
export function useList<Data extends ShellPartsQuery, Row extends { readonly id: string }>(
  source: ListSource<Data, Row>,
): List<Data, Row> {
  const { first, variables, pageOf } = source
  const { data, error, refetch } = useQuery(first, {
    variables,
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
  })
  const shown = (data && pageOf(data as never)) ?? undefined
  const retry = useCallback(() => void refetch().catch(() => undefined), [refetch])
  const rows = usePages(shown, source)
  const news = useNews(source, shown, retry)
  return { key: JSON.stringify(variables), data, error, retry, refetch, ...rows, news }
}

/** Joins a first page with the pages after it. Other variables, or another end of the first page, start over. */
export function usePages<Row>(firstPage: RowPage<Row> | undefined, source: PageSource<Row>): PagedRows<Row> {
  const client = useApolloClient()
  const list = JSON.stringify(source.variables)
  const end = firstPage?.pageInfo.hasNextPage ? firstPage.pageInfo.endCursor : null
  // Sources with the same variables are equal.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const later = useMemo(() => new LaterPages(client, source, end), [client, list, end])
  useEffect(() => later.open(), [later])
  const { rowCount, ...state } = useSyncExternalStore(later.subscribe, later.state)
  const firstCount = firstPage?.edges.length ?? 0
  return {
    ...state,
    rowCount: firstCount + rowCount,
    rowAt: (index: number) => firstPage?.edges[index]?.node ?? later.rowAt(index - firstCount),
    onView: useCallback(
      (first: number, last: number) => later.look(first - firstCount, last - firstCount),
      [later, firstCount],
    ),
    onMore: useCallback(() => later.more(), [later]),
  }
}
