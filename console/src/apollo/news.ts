import type { RowPage } from './pageParts.ts'

/** How the first page of a list differs from the one that is shown. */
export interface News {
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
