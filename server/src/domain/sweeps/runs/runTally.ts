import type { CleanupSample } from '../../../database/tables/cleanupTables.ts'

const longestSample = 100

export interface Examined {
  readonly key: string
  readonly byteSize: number | null
}

/** What a run has seen and done so far. Counts everything, and keeps the first hundred by name. */
export class RunTally {
  examined = 0
  deleted = 0
  deletedBytes = 0
  readonly held: Record<string, number> = {}
  readonly found: Record<string, number> = {}
  readonly sample: CleanupSample[] = []
  /** The last key that was dealt with. */
  position: string | null = null

  /** Deleted, or, in a dry run, what would have been. */
  addDeleted(thing: Examined): void {
    this.deleted += 1
    this.deletedBytes += thing.byteSize ?? 0
    this.#keep('deleted', thing)
  }

  /** Left alone, by the first gate that held it. */
  addHeld(gate: string, thing: Examined): void {
    this.held[gate] = (this.held[gate] ?? 0) + 1
    this.#keep(gate, thing)
  }

  /** Left alone without being looked at one by one. */
  addHeldCount(gate: string, count: number): void {
    if (count > 0) this.held[gate] = (this.held[gate] ?? 0) + count
  }

  /** Found to be a problem. */
  addFound(what: string, thing: Examined): void {
    this.found[what] = (this.found[what] ?? 0) + 1
    this.#keep(what, thing)
  }

  #keep(what: string, { key, byteSize }: Examined): void {
    if (this.sample.length < longestSample) this.sample.push({ what, key, byteSize })
  }
}
