import { sep } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { afterPrefix, keyOfBytes, type KeyBytes } from './keyFileName.ts'
import type { KeyRanges, RangeEntry } from './keyRanges.ts'
import type { ObjectRecord } from './objectHeaders.ts'
import { readRecord } from './recordFile.ts'

/** Long enough to make progress, and short enough that other work on the event loop is not delayed. */
const turnMilliseconds = 1

interface Turns {
  /** True if the current turn has used its time. */
  isOver(): boolean
  /** Yields to the event loop. Conditions that held before can be false afterwards. */
  next(): Promise<void>
}

/** Splits long work into turns. Work continues while `isOver` is false, and awaits `next` otherwise. */
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
  /** Keys are grouped by their part up to the first delimiter after the prefix. Empty: no grouping. */
  readonly delimiter: KeyBytes
  /** The first key of the search. */
  readonly from: KeyBytes
  readonly maxKeys: number
}

export interface FoundKeys {
  readonly objects: readonly ObjectRecord[]
  readonly commonPrefixes: readonly string[]
  /** The key to continue with. Undefined at the end. */
  readonly next: KeyBytes | undefined
}

/**
 * Finds one page of objects in the order of their UTF-8 bytes. It reads only the ranges of the page: the names of each
 * range in one step, the records in turns with other work. Objects written or deleted in the meantime may be in the
 * page or not. All others are.
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
    // The range can have been split and the object deleted since its name was read.
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

/** The index of the first entry that is not below `position`. Usually that is the next one. */
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
