import { readdirSync, statSync, existsSync, mkdirSync, opendirSync, renameSync, rmdirSync } from 'node:fs'
import { sep, join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { bytesOfFileName, keyBytes, type KeyBytes, escapeBytes, unescapeBytes } from './keyFileName.ts'
import { maxNamesPerRange } from './limits.ts'
import type { ObjectRecord } from './objectHeaders.ts'
import { readRecord, syncDirectoryNow } from './recordFile.ts'

export interface RangeEntry {
  readonly bytes: KeyBytes
  /** The file name, in the directory of the key's range. */
  readonly name: string
}

/** The names in a range, in the order of keys. Skips foreign names, such as `.DS_Store`. */
function readEntries({ directory }: KeyRange): RangeEntry[] {
  const entries: RangeEntry[] = []
  for (const name of readdirSync(directory)) {
    if (name.startsWith('.')) continue
    entries.push({ bytes: bytesOfFileName(name) ?? longKey(directory + sep + name), name })
  }
  return entries.sort((a, b) => (a.bytes < b.bytes ? -1 : 1))
}

function longKey(path: string): KeyBytes {
  const record = readRecord<ObjectRecord>(path)
  if (!record) throw new Error(`${path} went away while it was read`)
  return keyBytes(record.key)
}

const rangesKept = 4

interface EntryCache {
  /** As `readEntries`: the current names. */
  read(range: KeyRange): readonly RangeEntry[]
  /** Must be called in the same step for each range whose names have changed. */
  forget(range: KeyRange): void
}

/**
 * Caches the names of the ranges that were listed last. A listing in small pages reads the same directory for each
 * page, and reading and sorting it costs more than the page. Own changes are reported to the cache. The modification
 * time of the directory reveals changes by others.
 */
function openEntryCache(): EntryCache {
  const kept = new LRUCache<KeyRange, { readonly entries: readonly RangeEntry[]; readonly changedAt: bigint }>({
    max: rangesKept,
  })
  return {
    read(range) {
      const changedAt = statSync(range.directory, { bigint: true }).mtimeNs
      const known = kept.get(range)
      const entries = known?.changedAt === changedAt ? known.entries : readEntries(range)
      kept.set(range, { entries, changedAt })
      return entries
    },
    forget: (range) => void kept.delete(range),
  }
}

/** A directory with the objects whose keys lie between its own `from` and that of the next range. */
export interface KeyRange {
  readonly from: KeyBytes
  readonly directory: string
  /** The number of names. Unknown until the range grows for the first time. */
  names: number | undefined
  /**
   * The number of names that triggers a split. Doubled if no boundary can be named, so that not every write tries
   * again.
   */
  splitAbove: number
}

export interface KeyRanges {
  /** The range of a key. Valid until the caller's next `await`, because ranges can be split. */
  find(bytes: KeyBytes): KeyRange
  next(range: KeyRange): KeyRange | undefined
  /** The current names in a range, in the order of keys. */
  entries(range: KeyRange): readonly RangeEntry[]
  /** Must be called in the same step for each name that was added to a range. */
  noteAdded(range: KeyRange): void
  /** Must be called in the same step for each name that was removed from a range. */
  noteRemoved(range: KeyRange): void
}

const splitting = 'splitting-'
const ready = 'from-'
const maxDirectoryName = 240

/**
 * Objects are stored in ranges of the ordered key space, one directory each, like the leaves of a B-tree. A page of a
 * listing reads one or two directories, whatever the number of objects. Memory holds one name per range.
 *
 * A range that grows too large is split synchronously, which takes some milliseconds once in hundreds of writes. The
 * next start finishes an interrupted split.
 */
export function openKeyRanges(top: string, maxNames = maxNamesPerRange): KeyRanges {
  mkdirSync(join(top, ready), { recursive: true })
  const ranges = readRanges(top, maxNames)
  const cache = openEntryCache()
  for (const name of readdirSync(top)) {
    if (name.startsWith(splitting))
      addRange(finishSplit(top, name, find(unescapeBytes(name.slice(splitting.length))), maxNames))
  }
  dropEmptyRanges(ranges)

  function indexOf(bytes: KeyBytes): number {
    let low = 0
    let high = ranges.length
    while (high - low > 1) {
      const middle = (low + high) >> 1
      if (ranges[middle]!.from <= bytes) low = middle
      else high = middle
    }
    return low
  }

  function find(bytes: KeyBytes): KeyRange {
    return ranges[indexOf(bytes)]!
  }

  function addRange(range: KeyRange): void {
    ranges.splice(indexOf(range.from) + 1, 0, range)
  }

  function split(range: KeyRange): void {
    const entries = readEntries(range)
    range.names = entries.length
    if (entries.length <= range.splitAbove) return
    const boundary = chooseBoundary(entries)
    if (boundary === undefined) {
      range.splitAbove *= 2
      return
    }
    const name = `${splitting}${escapeBytes(boundary)}`
    mkdirSync(join(top, name))
    addRange(finishSplit(top, name, range, maxNames))
    range.names = undefined
  }

  return {
    find,
    next: (range) => ranges[indexOf(range.from) + 1],
    entries: cache.read,
    noteRemoved: cache.forget,
    noteAdded(range) {
      cache.forget(range)
      range.names = range.names === undefined ? readdirSync(range.directory).length : range.names + 1
      if (range.names > range.splitAbove) split(range)
    },
  }
}

function readRanges(top: string, splitAbove: number): KeyRange[] {
  return readdirSync(top)
    .filter((name) => name.startsWith(ready))
    .map((name) => ({
      from: unescapeBytes(name.slice(ready.length)),
      directory: join(top, name),
      names: undefined,
      splitAbove,
    }))
    .sort((a, b) => (a.from < b.from ? -1 : 1))
}

/** The shortest text that separates the entries near their middle and fits into a name. */
function chooseBoundary(entries: readonly RangeEntry[]): KeyBytes | undefined {
  const middle = entries.length >> 1
  for (let distance = 0; distance < middle; distance++) {
    for (const index of [middle + distance, middle - distance]) {
      const boundary = shortestBetween(entries[index - 1]?.bytes, entries[index]?.bytes)
      if (boundary !== undefined && escapeBytes(boundary).length + splitting.length <= maxDirectoryName) return boundary
    }
  }
  return undefined
}

/** The shortest prefix of `upper` that is greater than `lower`. */
function shortestBetween(lower: KeyBytes | undefined, upper: KeyBytes | undefined): KeyBytes | undefined {
  if (lower === undefined || upper === undefined) return undefined
  let common = 0
  while (lower[common] === upper[common]) common++
  return upper.slice(0, common + 1)
}

/** Moves the upper entries into the new directory and then gives the directory its final name. */
function finishSplit(top: string, name: string, lower: KeyRange, splitAbove: number): KeyRange {
  const from = unescapeBytes(name.slice(splitting.length))
  const unfinished = join(top, name)
  const directory = join(top, `${ready}${name.slice(splitting.length)}`)
  for (const { bytes, name: file } of readEntries(lower)) {
    if (bytes >= from) renameSync(join(lower.directory, file), join(unfinished, file))
  }
  syncDirectoryNow(unfinished)
  syncDirectoryNow(lower.directory)
  if (existsSync(directory)) throw new Error(`${directory} is there already`)
  renameSync(unfinished, directory)
  syncDirectoryNow(top)
  return { from, directory, names: undefined, splitAbove }
}

/** Removes ranges that deletions have emptied. */
function dropEmptyRanges(ranges: KeyRange[]): void {
  for (const range of ranges.slice(1)) {
    if (!isEmptyDirectory(range.directory)) continue
    rmdirSync(range.directory)
    ranges.splice(ranges.indexOf(range), 1)
  }
}

function isEmptyDirectory(path: string): boolean {
  const directory = opendirSync(path, { bufferSize: 1 })
  const first = directory.readSync()
  directory.closeSync()
  return first === null
}
