import { readdirSync, statSync, existsSync, mkdirSync, opendirSync, renameSync, rmdirSync } from 'node:fs'
import { sep, join } from 'node:path'
import { LRUCache } from 'lru-cache'
import { bytesOfFileName, keyBytes, type KeyBytes, escapeBytes, unescapeBytes } from './keyFileName.ts'
import { maxNamesPerRange } from './limits.ts'
import type { ObjectRecord } from './objectHeaders.ts'
import { readRecord, syncDirectoryNow } from './recordFile.ts'

export interface RangeEntry {
  readonly bytes: KeyBytes
  /** Of its file, in the directory of the range that the key belongs to. */
  readonly name: string
}

/** The names in a range, in the order of keys. Names of others, such as `.DS_Store`, are passed over. */
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
  /** As `readEntries`: what is there at this moment. */
  read(range: KeyRange): readonly RangeEntry[]
  /** Has to be called, before anything else runs, for each range whose names have changed. */
  forget(range: KeyRange): void
}

/**
 * The names of the few ranges that were listed last: a listing in small pages comes back to the same directory for each
 * of them, and reading and sorting it costs more than the page. Own changes are told; the time of the directory tells of
 * what others did to it.
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
  /** How many names it holds; unknown until it grows for the first time. */
  names: number | undefined
  /** How many are too many. Doubled where no boundary can be named, so that not every write tries again. */
  splitAbove: number
}

export interface KeyRanges {
  /** The range that a key belongs to. Right until the caller next awaits something: ranges split. */
  find(bytes: KeyBytes): KeyRange
  next(range: KeyRange): KeyRange | undefined
  /** The names in a range at this moment, in the order of keys. */
  entries(range: KeyRange): readonly RangeEntry[]
  /** Has to be called for each name that is new in a range, before anything else runs. */
  noteAdded(range: KeyRange): void
  /** The same for each name that is gone. */
  noteRemoved(range: KeyRange): void
}

const splitting = 'splitting-'
const ready = 'from-'
const maxDirectoryName = 240

/**
 * Objects lie in ranges of the ordered key space, a directory each, like the leaves of a B-tree: a page of a listing
 * reads a directory or two, whatever the number of objects, and all that is kept in memory is a name per range.
 *
 * A range that grows too large is split while nothing else runs (all of it is synchronous, some milliseconds once in
 * hundreds of writes). A split that was cut off is finished by the next start.
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

/** The shortest text that parts the entries near their middle and is not too long for a name. */
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

/** The shortest start of `upper` that is greater than `lower`. */
function shortestBetween(lower: KeyBytes | undefined, upper: KeyBytes | undefined): KeyBytes | undefined {
  if (lower === undefined || upper === undefined) return undefined
  let common = 0
  while (lower[common] === upper[common]) common++
  return upper.slice(0, common + 1)
}

/** Moves what belongs there into the new directory, and only then gives that its final name. */
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

/** Left behind by deletions. */
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
