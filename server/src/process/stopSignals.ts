const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/**
 * A terminal sends Ctrl+C to every process of the group, and whoever started us passes it on as well: what comes within
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
