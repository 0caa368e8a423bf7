import { skipToken, useQuery } from '@apollo/client/react'
import { type CleanupRowFragment, CleanupRunsNowDocument } from '../apollo/operations.ts'
import { useNow } from '../ui/useNow.ts'
import { isUnfinished } from './summaryOf.ts'

/** More than this are never under way where somebody looks; the API bounds what is asked for at once. */
const watchedRuns = 20

const whileFreshMs = 1_500
/** For a run that takes long, or whose process died. */
const afterwardsMs = 10_000
const freshForMs = 120_000

/** Asks how the runs that have not ended stand, until they have; not while nobody looks. The list is read from the cache. */
export function useUnfinishedRuns(runs: readonly CleanupRowFragment[]): void {
  const now = useNow()
  const unfinished = runs.filter(isUnfinished).slice(0, watchedRuns)
  const isFresh = unfinished.some(({ createdAt }) => now - Date.parse(createdAt) < freshForMs)
  const options = {
    variables: { ids: unfinished.map(({ id }) => id) },
    fetchPolicy: 'network-only',
    pollInterval: isFresh ? whileFreshMs : afterwardsMs,
    skipPollAttempt: () => document.hidden,
  } as const
  useQuery(CleanupRunsNowDocument, unfinished.length === 0 ? skipToken : options)
}
