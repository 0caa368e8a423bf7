/** The interval between checks of running statements. A timer per statement would cost as much as sending it. */
const lookEveryMs = 250

interface Waiting {
  /** In terms of `performance.now()`. */
  readonly until: number
  readonly giveUp: () => void
}

/** Times out answers, at most a quarter of a second late. Does not keep the process alive. */
export class Patience {
  readonly #waiting = new Set<Waiting>()
  #looking: NodeJS.Timeout | undefined

  /** Settles as `answer` does. Rejects with the result of `onSilence` after `patienceMs`. */
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

  /** Stops the timer when nothing is waiting. */
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
