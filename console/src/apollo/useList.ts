import type { DocumentNode, OperationVariables, TypedDocumentNode } from '@apollo/client'
import { useApolloClient, useQuery } from '@apollo/client/react'
import { useCallback, useEffect, useMemo, useRef, useState, useSyncExternalStore } from 'react'
import { useTenant } from '../shell/useShell.ts'
import { isUntouched, scrollToTop } from '../ui/VirtualTable.tsx'
import { ownChangeCount, whenChangedElsewhere } from './changes.ts'
import { LaterPages, type PageSource } from './laterPages.ts'
import { ShellPartsDocument, type ShellPartsQuery } from './operations.ts'
import type { RowPage } from './pageParts.ts'

/** How the first page of a list differs from the one that is shown. */
interface News {
  readonly added: number
  readonly removed: number
  /** Nothing of what is shown is on the page any more, so there may be more new rows than `added`. */
  readonly isAtLeast: boolean
}

interface Known {
  readonly id: string
}

/**
 * Compares the first page as it is now with the one that is shown, or null if people would see no difference. What other rows
 * only pushed over the end of the page does not count: it is on the next one.
 */
export function newsIn(shown: RowPage<Known>, fresh: RowPage<Known>): News | null {
  const [before, now] = [shown, fresh].map(({ edges }) => edges.map(({ node }) => node.id)) as [string[], string[]]
  const wasThere = new Set(before)
  const isThere = new Set(now)
  const lastKept = before.findLastIndex((id) => isThere.has(id))
  const lastKnown = now.findLastIndex((id) => wasThere.has(id))
  const isAllNew = lastKept === -1 && before.length > 0 && now.length > 0
  const compared = shown.pageInfo.hasNextPage && !isAllNew ? now.slice(0, lastKnown + 1) : now
  const expected = fresh.pageInfo.hasNextPage ? before.slice(0, lastKept + 1) : before
  const added = compared.filter((id) => !wasThere.has(id)).length
  const removed = expected.filter((id) => !isThere.has(id)).length
  if (added + removed === 0) return null
  return { added, removed, isAtLeast: isAllNew && fresh.pageInfo.hasNextPage }
}

/** A long list: how its first page is asked for, along with what stands around it, and how the others are. */
interface ListSource<Data, Row> extends PageSource<Row> {
  readonly first: TypedDocumentNode<Data, OperationVariables>
  /** What a row shows, if rows can change: they are kept up to date although the list stays as it is. */
  readonly row?: { readonly fragment: DocumentNode; readonly name: string }
}

/**
 * A list as long as one likes, of which only the rows near the view are in memory. Its first page is asked for again from time
 * to time. Rows that are new are shown at once only where nobody reads; elsewhere they are offered as `news`.
 */
export function useList<Data extends ShellPartsQuery, Row extends { readonly id: string }>(
  source: ListSource<Data, Row>,
) {
  const { first, variables, pageOf } = source
  const { data, error, refetch } = useQuery(first, {
    variables,
    fetchPolicy: 'cache-and-network',
    nextFetchPolicy: 'cache-first',
  })
  const shown = (data && pageOf(data as never)) ?? undefined
  const retry = useCallback(() => void refetch().catch(() => undefined), [refetch])
  return { data, error, retry, refetch, ...usePagedRows(shown, source), news: useNews(source, shown, retry) }
}

/** Another list, or a first page with a different end, starts over. */
function usePagedRows<Row>(firstPage: RowPage<Row> | undefined, source: PageSource<Row>) {
  const client = useApolloClient()
  const list = JSON.stringify(source.variables)
  const end = firstPage?.pageInfo.hasNextPage ? firstPage.pageInfo.endCursor : null
  // A source differs from another by its variables alone.
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

/** What is offered to people who are in the middle of a list. */
interface Offer extends News {
  /** Shows the list from its beginning. */
  readonly show: () => void
}

function useNews<Data extends ShellPartsQuery, Row extends { readonly id: string }>(
  source: ListSource<Data, Row>,
  shown: RowPage<Row> | undefined,
  retry: () => void,
): Offer | null {
  const client = useApolloClient()
  const tenant = useTenant()
  const list = JSON.stringify(source.variables)
  const [news, setNews] = useState<{ readonly list: string; readonly news: News } | null>(null)
  const latest = useRef({ source, shown, list, retry })
  latest.current = { source, shown, list, retry }

  const look = useCallback(async () => {
    const asked = latest.current
    if (!asked.shown) return asked.retry()
    const { first: query, variables, pageOf, row } = asked.source
    const changes = ownChangeCount()
    const { data } = await client.query({ query, variables, fetchPolicy: 'no-cache' })
    const { current } = latest
    // What this tab has changed meanwhile may not be in the answer.
    if (!data || !current.shown || current.list !== asked.list || changes !== ownChangeCount()) return
    const { viewer, usage } = data as ShellPartsQuery
    client.writeQuery({ query: ShellPartsDocument, data: { __typename: 'Query', viewer, usage } as ShellPartsQuery })
    const fresh = pageOf(data as never)
    if (fresh === null) return
    if (row) keepUpToDate(client.cache, row, fresh)
    const found = newsIn(current.shown, fresh)
    const isShown = found !== null && isUntouched()
    if (isShown) client.writeQuery({ query, variables, data })
    setNews(found && !isShown ? { list: asked.list, news: found } : null)
  }, [client])

  useEffect(() => watch(tenant, look), [tenant, look])
  const show = useCallback(() => {
    setNews(null)
    scrollToTop()
    latest.current.retry()
  }, [])
  return news?.list === list ? { ...news.news, show } : null
}

type Cache = ReturnType<typeof useApolloClient>['cache']

function keepUpToDate(
  cache: Cache,
  { fragment, name }: NonNullable<ListSource<unknown, unknown>['row']>,
  { edges }: RowPage<unknown>,
): void {
  cache.batch({
    update: () => {
      for (const { node } of edges) {
        const id = cache.identify(node as { __typename: string })
        if (id) cache.writeFragment({ id, fragment, fragmentName: name, data: node as object })
      }
    },
  })
}

const everyMs = 30_000
/** Coming back to the window, or many changes in another tab, ask no more often than this. */
const atMostEveryMs = 3_000

/** Looks now and then while the page is in sight, when people come back to it, and when another tab changes something. */
function watch(tenant: string, look: () => Promise<void>): () => void {
  let lookedAt = Date.now()
  let isLooking = false
  let timer: ReturnType<typeof setTimeout> | undefined
  const plan = (waitMs: number) => {
    clearTimeout(timer)
    timer = setTimeout(run, waitMs)
  }
  const run = () => {
    if (document.hidden || !navigator.onLine) return
    if (isLooking) return plan(atMostEveryMs)
    isLooking = true
    lookedAt = Date.now()
    // The next look tells more than a failure of this one would.
    void look()
      .catch(() => undefined)
      .finally(() => {
        isLooking = false
        plan(everyMs)
      })
  }
  const soon = () => plan(Math.max(0, lookedAt + atMostEveryMs - Date.now()))
  const stopListening = whenChangedElsewhere(tenant, soon)
  const stop = new AbortController()
  const { signal } = stop
  window.addEventListener('focus', soon, { signal })
  window.addEventListener('online', soon, { signal })
  document.addEventListener('visibilitychange', soon, { signal })
  plan(everyMs)
  return () => {
    clearTimeout(timer)
    stopListening()
    stop.abort()
  }
}
