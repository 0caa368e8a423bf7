import { useApolloClient } from '@apollo/client/react'
import { useCallback, useEffect, useMemo, useSyncExternalStore } from 'react'
import { LaterPages, type PageSource } from './laterPages.ts'
import type { RowPage } from './pageParts.ts'

/**
 * A list as long as one likes, of which only the rows near the view are in memory. The first page comes with the page
 * that shows the list, and stays; `source` tells where the others come from. Another list, or a first page that ends
 * elsewhere than before, begins anew.
 */
export function usePagedRows<Row>(firstPage: RowPage<Row> | null | undefined, source: PageSource<Row>) {
  const client = useApolloClient()
  const list = JSON.stringify(source.variables)
  const end = firstPage?.pageInfo.hasNextPage ? firstPage.pageInfo.endCursor : null
  // A source differs from another by its variables alone.
  // oxlint-disable-next-line react-hooks/exhaustive-deps
  const later = useMemo(() => new LaterPages(client, source, end), [client, list, end])
  useEffect(() => later.open(), [later])
  const known = useSyncExternalStore(later.subscribe, later.state)
  const { rowCount, ...state } = known
  const firstCount = firstPage?.edges.length ?? 0
  const held = useMemo(
    () => [...(firstPage?.edges.map(({ node }) => node) ?? []), ...later.held()],
    // oxlint-disable-next-line react-hooks/exhaustive-deps
    [firstPage, later, known],
  )
  return {
    ...state,
    /** The rows that are in memory. */
    held,
    rowCount: firstCount + rowCount,
    rowAt: (index: number) => firstPage?.edges[index]?.node ?? later.rowAt(index - firstCount),
    onView: useCallback(
      (first: number, last: number) => later.look(first - firstCount, last - firstCount),
      [later, firstCount],
    ),
    onMore: useCallback(() => later.more(), [later]),
  }
}
