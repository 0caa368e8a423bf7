import { useCallback, useRef, useState } from 'react'
import { wordError } from './wordRefusal.ts'

/**
 * Asks for the page after `endCursor`, one at a time. After a failure only a person asks again: the end of the list
 * stays in sight and would otherwise ask forever.
 */
export function useMorePages(endCursor: string | null | undefined, fetchAfter: (cursor: string) => Promise<unknown>) {
  const busy = useRef(false)
  const latest = useRef(fetchAfter)
  latest.current = fetchAfter
  const [isLoading, setLoading] = useState(false)
  const [failure, setFailure] = useState<string | null>(null)

  const more = useCallback(async () => {
    if (busy.current || !endCursor) return
    busy.current = true
    setLoading(true)
    setFailure(null)
    await latest.current(endCursor).catch((error: unknown) => setFailure(wordError(error)))
    busy.current = false
    setLoading(false)
  }, [endCursor])

  const onMore = useCallback(() => void more(), [more])
  const onNearEnd = useCallback(() => {
    if (failure === null) void more()
  }, [more, failure])
  return { isLoading, failure, onMore, onNearEnd }
}
