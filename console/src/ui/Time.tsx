import { useSyncExternalStore } from 'react'
import { exactTime, relativeTime } from './formatTime.ts'

const everyMs = 30_000
const listeners = new Set<() => void>()
let current = Date.now()
let timer: ReturnType<typeof setInterval> | undefined

function subscribe(listener: () => void) {
  listeners.add(listener)
  timer ??= setInterval(tick, everyMs)
  return () => {
    listeners.delete(listener)
    if (listeners.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}

function tick() {
  current = Date.now()
  for (const listener of listeners) listener()
}

/** The time in milliseconds, updated twice a minute by one timer for the whole page. */
export const useNow = () => useSyncExternalStore(subscribe, () => current)

/** How long ago something happened. Hovering and copying give the exact time. */
export function Time({ at }: { at: string }) {
  const now = useNow()
  return (
    <time dateTime={at} title={exactTime(at)}>
      {relativeTime(at, now)}
    </time>
  )
}
