/** A queue of ids. Taking the next one takes constant time. */
export class WaitingLine {
  #ids: string[] = []
  /** The index of the next id. */
  #next = 0

  get isEmpty(): boolean {
    return this.#next >= this.#ids.length
  }

  add(id: string): void {
    this.#ids.push(id)
  }

  /** Puts an id back to the front. */
  putBack(id: string): void {
    if (this.#next === 0) this.#ids.unshift(id)
    else this.#ids[(this.#next -= 1)] = id
  }

  /** Undefined if the queue is empty. */
  take(): string | undefined {
    const id = this.#ids[this.#next]
    this.#next += 1
    if (this.isEmpty) {
      this.#ids = []
      this.#next = 0
    }
    return id
  }
}
