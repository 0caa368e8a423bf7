import type { CleanupSample, cleanupRuns } from '../../../database/tables/cleanupTables.ts'

const longestSample = 100

export interface Examined {
  readonly key: string
  readonly byteSize: number | null
}

type TallyColumns = Pick<
  typeof cleanupRuns.$inferSelect,
  'examined' | 'deleted' | 'deletedBytes' | 'held' | 'found' | 'sample' | 'position'
>

const pickColumns = ({ examined, deleted, deletedBytes, held, found, sample, position }: TallyColumns) => ({
  examined,
  deleted,
  deletedBytes,
  held,
  found,
  sample,
  position,
})

/** Counts what a run examined and did, and keeps the first hundred items. */
export class RunTally {
  examined = 0
  deleted = 0
  deletedBytes = 0
  readonly held: Record<string, number> = {}
  readonly found: Record<string, number> = {}
  readonly sample: CleanupSample[] = []
  /** All keys before this one were handled. */
  position: string | null = null

  /** Continues with the noted tally of a run. */
  static from(noted: TallyColumns): RunTally {
    return Object.assign(new RunTally(), structuredClone(pickColumns(noted)))
  }

  /** The columns of the run that keep the tally. */
  columns(): TallyColumns {
    return pickColumns(this)
  }

  /** Counts a deletion. In a dry run, one that would have happened. */
  addDeleted(thing: Examined): void {
    this.deleted += 1
    this.deletedBytes += thing.byteSize ?? 0
    this.#keep('deleted', thing)
  }

  /** Counts an item that was kept, by the first gate that held it. */
  addHeld(gate: string, thing: Examined): void {
    this.held[gate] = (this.held[gate] ?? 0) + 1
    this.#keep(gate, thing)
  }

  /** Counts items that were kept without being examined one by one. */
  addHeldCount(gate: string, count: number): void {
    if (count > 0) this.held[gate] = (this.held[gate] ?? 0) + count
  }

  /** Counts a problem. */
  addFound(what: string, thing: Examined): void {
    this.found[what] = (this.found[what] ?? 0) + 1
    this.#keep(what, thing)
  }

  #keep(what: string, { key, byteSize }: Examined): void {
    if (this.sample.length < longestSample) this.sample.push({ what, key, byteSize })
  }
}
