import { setImmediate } from 'node:timers/promises'
import { afterPrefix, keyOfBytes, type KeyBytes } from './keyFileName.ts'
import { readEntries, type KeyRanges, type RangeEntry } from './keyRanges.ts'
import { readRecord } from './recordFile.ts'
import type { ObjectRecord } from './storedObject.ts'

export interface KeySearch {
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

/** One page of objects in the order of their UTF-8 bytes. Reads only the ranges that hold it. */
export async function findKeys(ranges: KeyRanges, search: KeySearch): Promise<FoundKeys> {
  const page = startPage(search)
  const end = search.prefix === '' ? undefined : afterPrefix(search.prefix)
  for (;;) {
    const range = ranges.find(page.position())
    if (page.take(readEntries(range)) === 'full') break
    const next = ranges.next(range)
    if (!next || (end !== undefined && next.from >= end)) break
    page.goTo(next.from)
    // Other requests get their turn between two directories; one directory is read at one moment.
    await setImmediate()
  }
  return page.found()
}

function startPage({ prefix, delimiter, from, maxKeys }: KeySearch) {
  const objects: ObjectRecord[] = []
  const commonPrefixes: string[] = []
  let position = from > prefix ? from : prefix
  let next: KeyBytes | undefined

  function rollUp(bytes: KeyBytes): KeyBytes | undefined {
    const at = delimiter === '' ? -1 : bytes.indexOf(delimiter, prefix.length)
    return at < 0 ? undefined : bytes.slice(0, at + delimiter.length)
  }

  function takeOne({ bytes, path }: RangeEntry): void {
    const common = rollUp(bytes)
    if (common !== undefined) commonPrefixes.push(keyOfBytes(common))
    else objects.push(readKnownRecord(path))
    position = common === undefined ? `${bytes}\0` : afterPrefix(common)
  }

  return {
    position: () => position,
    goTo(bytes: KeyBytes) {
      if (bytes > position) position = bytes
    },
    take(entries: readonly RangeEntry[]): 'full' | 'more' {
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

function readKnownRecord(path: string): ObjectRecord {
  const record = readRecord<ObjectRecord>(path)
  if (!record) throw new Error(`${path} went away while its directory was read`)
  return record
}
