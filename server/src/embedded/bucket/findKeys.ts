import { sep } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterPrefix, keyOfBytes, type KeyBytes } from './keyFileName.ts'
import type { KeyRanges, RangeEntry } from './keyRanges.ts'
import type { ObjectRecord } from './objectHeaders.ts'
import { readRecord } from './recordFile.ts'

/** Long enough to get something done, short enough that nobody who waits for the same event loop feels it. */
const turnMilliseconds = 1

interface Turns {
  /** Whether this piece of work has held the event loop for long enough. */
  isOver(): boolean
  /** Lets everybody else have a turn. What was true before may be false afterwards. */
  next(): Promise<void>
}

/** Cuts long work into turns: work goes on as long as `isOver` is false, and awaits `next` otherwise. */
function takeTurns(): Turns {
  let since = performance.now()
  return {
    isOver: () => performance.now() - since >= turnMilliseconds,
    async next() {
      await setImmediate()
      since = performance.now()
    },
  }
}

interface KeySearch {
  readonly prefix: KeyBytes
  /** Keys are rolled up to what precedes its first occurrence behind the prefix; empty for none. */
  readonly delimiter: KeyBytes
  /** The first key that may be found. */
  readonly from: KeyBytes
  readonly maxKeys: number
}

export interface FoundKeys {
  readonly objects: readonly ObjectRecord[]
  readonly commonPrefixes: readonly string[]
  /** Where to go on; undefined when nothing is left. */
  readonly next: KeyBytes | undefined
}

/**
 * One page of objects in the order of their UTF-8 bytes. Reads only the ranges that hold it, each range's names at one
 * moment and the records in turns with whatever else the process does: what is written or deleted meanwhile may be in
 * the page or not, everything else is.
 */
export async function findKeys(ranges: KeyRanges, search: KeySearch): Promise<FoundKeys> {
  const page = startPage(ranges, search)
  const end = search.prefix === '' ? undefined : afterPrefix(search.prefix)
  for (;;) {
    const range = ranges.find(page.position())
    if ((await page.take(ranges.entries(range))) === 'full') break
    const next = ranges.next(range)
    if (!next || (end !== undefined && next.from >= end)) break
    page.goTo(next.from)
  }
  return page.found()
}

function startPage(ranges: KeyRanges, { prefix, delimiter, from, maxKeys }: KeySearch) {
  const turns = takeTurns()
  const objects: ObjectRecord[] = []
  const commonPrefixes: string[] = []
  let position = from > prefix ? from : prefix
  let next: KeyBytes | undefined

  function rollUp(bytes: KeyBytes): KeyBytes | undefined {
    const at = delimiter === '' ? -1 : bytes.indexOf(delimiter, prefix.length)
    return at < 0 ? undefined : bytes.slice(0, at + delimiter.length)
  }

  function takeOne({ bytes, name }: RangeEntry): void {
    const common = rollUp(bytes)
    position = common === undefined ? `${bytes}\0` : afterPrefix(common)
    if (common !== undefined) return void commonPrefixes.push(keyOfBytes(common))
    // Its range may have been split since its name was read, and it may have been deleted.
    const record = readRecord<ObjectRecord>(ranges.find(bytes).directory + sep + name)
    if (record) objects.push(record)
  }

  return {
    position: () => position,
    goTo(bytes: KeyBytes) {
      if (bytes > position) position = bytes
    },
    async take(entries: readonly RangeEntry[]): Promise<'full' | 'more'> {
      for (
        let index = firstFrom(entries, position);
        index < entries.length;
        index = firstFrom(entries, position, index)
      ) {
        const entry = entries[index]!
        if (!entry.bytes.startsWith(prefix)) return 'full'
        if (objects.length + commonPrefixes.length >= maxKeys) {
          next = position
          return 'full'
        }
        takeOne(entry)
        if (turns.isOver()) await turns.next()
      }
      return 'more'
    },
    found: (): FoundKeys => ({ objects, commonPrefixes, next }),
  }
}

/** The index of the first entry that is not below `position`; most often the very next one. */
function firstFrom(entries: readonly RangeEntry[], position: KeyBytes, hint = 0): number {
  let low = hint
  if (entries[low + 1] !== undefined && entries[low]!.bytes < position && entries[low + 1]!.bytes >= position)
    return low + 1
  let high = entries.length
  while (low < high) {
    const middle = (low + high) >> 1
    if (entries[middle]!.bytes < position) low = middle + 1
    else high = middle
  }
  return low
}
