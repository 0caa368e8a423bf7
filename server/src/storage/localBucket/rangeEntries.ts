import { readdirSync, statSync } from 'node:fs'
import { sep } from 'node:path'
import { bytesOfFileName, keyBytes, type KeyBytes } from './keyFileName.ts'
import type { KeyRange } from './keyRanges.ts'
import { readRecord } from './recordFile.ts'
import type { ObjectRecord } from './storedObject.ts'

export interface RangeEntry {
  readonly bytes: KeyBytes
  /** Of its file, in the directory of the range that the key belongs to. */
  readonly name: string
}

/** The names in a range, in the order of keys. Names of others, such as `.DS_Store`, are passed over. */
export function readEntries({ directory }: KeyRange): RangeEntry[] {
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

export interface EntryCache {
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
export function openEntryCache(): EntryCache {
  const kept = new Map<KeyRange, { readonly entries: readonly RangeEntry[]; readonly changedAt: bigint }>()
  return {
    read(range) {
      const changedAt = statSync(range.directory, { bigint: true }).mtimeNs
      const known = kept.get(range)
      kept.delete(range)
      const entries = known?.changedAt === changedAt ? known.entries : readEntries(range)
      kept.set(range, { entries, changedAt })
      const [oldest] = kept.keys()
      if (oldest !== undefined && kept.size > rangesKept) kept.delete(oldest)
      return entries
    },
    forget: (range) => void kept.delete(range),
  }
}
