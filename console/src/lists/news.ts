import type { DocumentNode } from '@apollo/client'
import { useApolloClient } from '@apollo/client/react'
import { useCallback, useEffect, useRef, useState } from 'react'
import { ownChangeCount, whenChangedElsewhere } from '../apollo/changes.ts'
import { ShellPartsDocument, type ShellPartsQuery } from '../apollo/operations.ts'
import { useTenant } from '../shell/useShell.ts'
import { isUntouched, scrollToTop } from '../ui/VirtualTable.tsx'
import type { ListSource } from './laterPages.ts'
import type { RowPage } from './pageParts.ts'

/** How the current first page of a list differs from the one on the screen. */
interface News {
  readonly added: number
  readonly removed: number
  /** No row on the screen is on the page any more, so that more rows than `added` may be new. */
  readonly isAtLeast: boolean
}

/** News that waits for a person to press a button. */
export interface Offer extends News {
  /** Shows the list from its beginning. */
  readonly show: () => void
}

interface Known {
  readonly id: string
}

/**
 * Compares the current first page with the one on the screen. Returns null if there is no difference to see. Rows that new
 * ones pushed to the second page do not count.
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

/** Polls the first page. Shows new rows at once if nobody uses the list, and offers them otherwise. */
export function useNews<Data extends ShellPartsQuery, Row extends Known>(
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
    // The response may not include what this tab has changed since the request.
    if (!data || !current.shown || current.list !== asked.list || changes !== ownChangeCount()) return
    const { viewer, usage } = data as ShellPartsQuery
    client.writeQuery({ query: ShellPartsDocument, data: { __typename: 'Query', viewer, usage } as ShellPartsQuery })
    const fresh = pageOf(data as never)
    if (fresh === null) return
    if (row) updateRows(client.cache, row, fresh)
    const found = newsIn(current.shown, fresh)
    const isShown = found !== null && isUntouched()
    if (isShown) client.writeQuery({ query, variables, data })
    setNews(found && !isShown ? { list: asked.list, news: found } : null)
  }, [client])

  useEffect(() => poll(tenant, look), [tenant, look])
  const show = useCallback(() => {
    setNews(null)
    scrollToTop()
    latest.current.retry()
  }, [])
  return news?.list === list ? { ...news.news, show } : null
}

type Cache = ReturnType<typeof useApolloClient>['cache']

function updateRows(
  cache: Cache,
  { fragment, name }: { readonly fragment: DocumentNode; readonly name: string },
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
/** The shortest time between two requests, whatever asks for them. */
const atMostEveryMs = 3_000

/** Looks every half minute while the page is visible, when people come back to it, and when another tab changes something. */
function poll(tenant: string, look: () => Promise<void>): () => void {
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
    // A failure needs no message: the next look tries again.
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
