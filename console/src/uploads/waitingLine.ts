/** Ids in the order in which they have their turn. Taking the next one is cheap, however many wait. */
export class WaitingLine {
  #ids: string[] = []
  /** Those before have had their turn. */
  #next = 0

  get isEmpty(): boolean {
    return this.#next >= this.#ids.length
  }

  add(id: string): void {
    this.#ids.push(id)
  }

  /** To the front, where it came from. */
  putBack(id: string): void {
    if (this.#next === 0) this.#ids.unshift(id)
    else this.#ids[(this.#next -= 1)] = id
  }

  /** Undefined if nobody waits. */
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
