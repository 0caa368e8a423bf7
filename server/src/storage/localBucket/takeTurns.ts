import { setImmediate } from 'node:timers/promises'

/** Long enough to get something done, short enough that nobody who waits for the same event loop feels it. */
const turnMilliseconds = 1

export interface Turns {
  /** Whether this piece of work has held the event loop for long enough. */
  isOver(): boolean
  /** Lets everybody else have a turn. What was true before may be false afterwards. */
  next(): Promise<void>
}

/** Cuts long work into turns: work goes on as long as `isOver` is false, and awaits `next` otherwise. */
export function takeTurns(): Turns {
  let since = performance.now()
  return {
    isOver: () => performance.now() - since >= turnMilliseconds,
    async next() {
      await setImmediate()
      since = performance.now()
    },
  }
}
