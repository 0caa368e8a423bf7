/** How often statements under way are looked at; a timer for each would cost as much as sending it. */
const lookEveryMs = 250

interface Waiting {
  /** By the clock of `performance.now()`. */
  readonly until: number
  readonly giveUp: () => void
}

/** Gives up on what is not answered in time, a quarter of a second late at most. Keeps no process alive. */
export class Patience {
  readonly #waiting = new Set<Waiting>()
  #looking: NodeJS.Timeout | undefined

  /** Settles as `answer` does, or rejects with what `onSilence` makes when that took longer than `patienceMs`. */
  wait<T>(answer: Promise<T>, patienceMs: number, onSilence: () => Error): Promise<T> {
    return new Promise((resolve, reject) => {
      const waiting = { until: performance.now() + patienceMs, giveUp: () => reject(onSilence()) }
      this.#waiting.add(waiting)
      this.#looking ??= setInterval(() => this.#look(), lookEveryMs).unref()
      answer.then(
        (value) => {
          this.#waiting.delete(waiting)
          resolve(value)
        },
        (error: unknown) => {
          this.#waiting.delete(waiting)
          reject(error)
        },
      )
    })
  }

  /** Stops looking when nothing is under way, so that no timer outlives what it watches. */
  #look(): void {
    const now = performance.now()
    for (const waiting of this.#waiting) {
      if (waiting.until > now) continue
      this.#waiting.delete(waiting)
      waiting.giveUp()
    }
    if (this.#waiting.size > 0) return
    clearInterval(this.#looking)
    this.#looking = undefined
  }
}
