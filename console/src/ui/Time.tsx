import { exactTime, relativeTime } from './formatTime.ts'
import { useNow } from './useNow.ts'

/** How long ago something was; the exact time is one hover or one copy away. */
export function Time({ at }: { at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={exactTime(at)}>
      {relativeTime(at, now)}
    </time>
  )
}
