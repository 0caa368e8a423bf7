import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'

/** Enough to close a part that has no work in flight. */
const hurriedMs = 500

interface Part {
  readonly name: string
  readonly close: () => void | Promise<void>
  readonly isWaitedFor: boolean
}

/** Closes what was opened, in the opposite order. */
export class Closing {
  readonly #logger: Logger
  readonly #open: Part[] = []
  #isHurried = false
  readonly #hurried: Promise<void>
  #hurry: () => void = () => undefined

  constructor(logger: Logger) {
    this.#logger = logger
    this.#hurried = new Promise((resolve) => (this.#hurry = resolve))
  }

  add(name: string, close: () => void | Promise<void>): void {
    this.#open.push({ name, close, isWaitedFor: false })
  }

  /** Adds a part that would outlive this process. It is awaited even after `hurry`. */
  addProcess(name: string, close: () => Promise<void>): void {
    this.#open.push({ name, close, isWaitedFor: true })
  }

  get isHurried(): boolean {
    return this.#isHurried
  }

  /** From now on, no part gets time to finish its work. */
  hurry(): void {
    this.#isHurried = true
    this.#hurry()
  }

  /** Waits, but no longer than until `hurry`. */
  async pause(milliseconds: number): Promise<void> {
    const waiting = new AbortController()
    const paused = sleep(milliseconds, undefined, { signal: waiting.signal }).catch(() => undefined)
    await Promise.race([paused, this.#hurried])
    waiting.abort()
  }

  /** Closes all parts. A part that fails to close does not prevent the others from closing. */
  async closeAll(): Promise<void> {
    for (const part of this.#open.splice(0).toReversed()) {
      try {
        await (part.isWaitedFor
          ? part.close()
          : Promise.race([part.close(), this.#hurried.then(() => sleep(hurriedMs))]))
        this.#logger.debug({ part: part.name }, 'Closed')
      } catch (error) {
        this.#logger.error({ part: part.name, err: error }, 'A part did not close well')
      }
    }
  }
}

const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

type StopSignal = (typeof signals)[number]

/**
 * A terminal sends Ctrl+C to every process of the group, and the parent process forwards it too. The same signal within
 * this time is the same request.
 */
const sameWishMs = 1_000

/** Ends a start that was told to stop before it finished. */
export class StopAsked extends Error {
  override readonly name = 'StopAsked'
}

export interface StopSignals {
  /** Resolves at the first signal. */
  readonly stopped: Promise<void>
  /** The first signal. Null before it. */
  readonly asked: StopSignal | null
  /** Throws `StopAsked` after the first signal. */
  throwIfAsked(): void
  /** Removes the listeners. The next signal ends the process, as Node does by default. */
  ignore(): void
}

/**
 * Listens for a request to stop. Calls `hurry` if the request is repeated: by another signal at once, by the same one
 * more than a second later. SIGHUP repeats nothing: systemd can send it together with SIGTERM.
 */
export function listenForStop(hurry: () => void): StopSignals {
  let asked: { readonly signal: StopSignal; readonly at: number } | null = null
  let resolveStopped: () => void = () => undefined
  const stopped = new Promise<void>((resolve) => (resolveStopped = resolve))
  const onSignal = (signal: StopSignal) => {
    const isRepeated = asked && (signal !== asked.signal || performance.now() - asked.at > sameWishMs)
    if (isRepeated && signal !== 'SIGHUP') hurry()
    asked ??= { signal, at: performance.now() }
    resolveStopped()
  }
  for (const signal of signals) process.on(signal, onSignal)
  return {
    stopped,
    get asked() {
      return asked?.signal ?? null
    },
    throwIfAsked: () => {
      if (asked) throw new StopAsked()
    },
    ignore: () => signals.forEach((signal) => process.off(signal, onSignal)),
  }
}
