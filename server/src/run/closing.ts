import { setTimeout as sleep } from 'node:timers/promises'
import type { Logger } from 'pino'

/** Enough for what has nothing under way. */
const hurriedMs = 500

interface Part {
  readonly name: string
  readonly close: () => void | Promise<void>
  readonly isWaitedFor: boolean
}

/** What was opened, to be closed in the opposite order. */
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

  /** For what would outlive this process: it is waited for even in a hurry. */
  addProcess(name: string, close: () => Promise<void>): void {
    this.#open.push({ name, close, isWaitedFor: true })
  }

  get isHurried(): boolean {
    return this.#isHurried
  }

  /** From now on nothing is given time to finish what is under way. */
  hurry(): void {
    this.#isHurried = true
    this.#hurry()
  }

  /** One part that does not close well does not keep the others from being closed. */
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

/**
 * A terminal sends Ctrl+C to every process of the group, and the process that started us forwards it as well: what comes within
 * this time is the same wish.
 */
const sameWishMs = 1_000

/** What a start ends with that was told to stop before it was done. */
export class StopAsked extends Error {
  override readonly name = 'StopAsked'
}

export interface StopSignals {
  /** Resolves with the first signal. */
  readonly stopped: Promise<void>
  /** Throws `StopAsked` once there was a signal. */
  throwIfAsked(): void
  /** Leaves signals to Node again, which dies of them. */
  ignore(): void
}

/** Listens for the wish to stop. Who repeats it later than a second after means now: `hurry` is called. */
export function listenForStop(hurry: () => void): StopSignals {
  let askedAt: number | null = null
  let resolveStopped: () => void = () => undefined
  const stopped = new Promise<void>((resolve) => (resolveStopped = resolve))
  const onSignal = () => {
    if (askedAt !== null && Date.now() - askedAt > sameWishMs) hurry()
    askedAt ??= Date.now()
    resolveStopped()
  }
  for (const signal of signals) process.on(signal, onSignal)
  return {
    stopped,
    throwIfAsked: () => {
      if (askedAt !== null) throw new StopAsked()
    },
    ignore: () => signals.forEach((signal) => process.off(signal, onSignal)),
  }
}
