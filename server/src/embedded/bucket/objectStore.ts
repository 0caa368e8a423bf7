import { randomUUID } from 'node:crypto'
import {
  accessSync,
  constants,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  unlinkSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileNameOf, keyBytes } from './keyFileName.ts'
import { openKeyRanges, type KeyRange, type KeyRanges } from './keyRanges.ts'
import { strayFileMilliseconds } from './limits.ts'
import type { ObjectRecord } from './objectHeaders.ts'
import {
  isMissing,
  openRecordFile,
  readRecord,
  writeRecordFile,
  type OpenRecordFile,
  type WriteBytes,
  syncDirectory,
} from './recordFile.ts'
import { S3Error } from './s3Error.ts'

/** Conditions that must hold when an object is published. */
export interface WriteCondition {
  /** `if-none-match: *` */
  readonly createOnly: boolean
  /** The ETag of `if-match`, without quotes. */
  readonly ifMatch: string | undefined
}

/** A complete file on disk that is not visible yet. */
export interface IncomingFile<T> {
  readonly path: string
  readonly record: T
}

export interface ObjectStore {
  readonly ranges: KeyRanges
  /** Opens the object of a key. The caller closes the descriptor. */
  open(key: string): OpenRecordFile<ObjectRecord> | null
  read(key: string): ObjectRecord | null
  /** Writes bytes and record to a file that is not visible. Removes the file if `fill` fails. */
  receive<T extends { size: number }>(fill: (write: WriteBytes) => Promise<T>): Promise<IncomingFile<T>>
  /**
   * Publishes the file as the object of its key, atomically. Throws `PreconditionFailed` and removes the file if the
   * condition does not hold.
   */
  publish(file: IncomingFile<ObjectRecord>, condition: WriteCondition): Promise<void>
  /** Deletes objects. A missing object is not an error. */
  remove(keys: readonly string[]): Promise<void>
  /** Deletes received files that were not published within a day. */
  sweepStrays(now: Date): void
  /** Identifies the folder of the objects. Null if it is missing or not writable. */
  folder(): string | null
  /** Must be called after `folder()` has changed, because the objects can be in other directories then. */
  reload(): void
}

/** Opens a directory of objects: `objects/` holds them, `incoming/` holds uploads in progress. */
export function openObjectStore(directory: string, maxNames?: number): ObjectStore {
  const incoming = join(directory, 'incoming')
  const top = join(directory, 'objects')
  // Files from an earlier process are incomplete.
  rmSync(incoming, { recursive: true, force: true })
  mkdirSync(incoming, { recursive: true })
  let ranges = openKeyRanges(top, maxNames)

  function place(key: string): { range: KeyRange; path: string } {
    const bytes = keyBytes(key)
    const range = ranges.find(bytes)
    return { range, path: join(range.directory, fileNameOf(bytes)) }
  }

  function publishNow(file: IncomingFile<ObjectRecord>, condition: WriteCondition): KeyRange {
    const { range, path } = place(file.record.key)
    const isNew = condition.createOnly || !existsSync(path)
    refuseUnlessMatching(path, condition)
    if (condition.createOnly) linkNew(file.path, path)
    else renameSync(file.path, path)
    if (isNew) ranges.noteAdded(range)
    return range
  }

  return {
    get ranges() {
      return ranges
    },
    open: (key) => openRecordFile<ObjectRecord>(place(key).path),
    read: (key) => readRecord<ObjectRecord>(place(key).path),
    async receive(fill) {
      const path = join(incoming, randomUUID())
      return { path, record: await writeRecordFile(path, fill) }
    },
    async publish(file, condition) {
      try {
        await syncDirectory(publishNow(file, condition).directory)
      } finally {
        rmSync(file.path, { force: true })
      }
    },
    async remove(keys) {
      const touched = new Set<string>()
      for (const key of keys) {
        const { range, path } = place(key)
        if (!unlinkIfThere(path)) continue
        ranges.noteRemoved(range)
        touched.add(range.directory)
      }
      for (const path of touched) await syncDirectory(path)
    },
    sweepStrays(now) {
      for (const name of readdirSync(incoming)) {
        const path = join(incoming, name)
        const stat = statSync(path, { throwIfNoEntry: false })
        if (stat && now.getTime() - stat.mtimeMs > strayFileMilliseconds) rmSync(path, { recursive: true, force: true })
      }
    },
    folder() {
      const identity = identityOf(ranges.find(keyBytes('')).directory)
      // Backups omit empty folders.
      if (identity !== null && identityOf(incoming) === null) mkdirSync(incoming, { recursive: true })
      return identity
    },
    reload() {
      ranges = openKeyRanges(top, maxNames)
    },
  }
}

function identityOf(directory: string): string | null {
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK)
    const { dev, ino } = statSync(directory)
    return `${dev}/${ino}`
  } catch {
    return null
  }
}

/** The file system decides who creates the object: of several links to one name, one succeeds. */
function linkNew(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw new S3Error('PreconditionFailed')
    throw error
  }
}

function refuseUnlessMatching(path: string, condition: WriteCondition): void {
  if (condition.ifMatch === undefined) return
  const current = readRecord<ObjectRecord>(path)
  if (!current) throw new S3Error('NoSuchKey')
  if (condition.ifMatch !== current.etag && condition.ifMatch !== '*') throw new S3Error('PreconditionFailed')
}

function unlinkIfThere(path: string): boolean {
  try {
    unlinkSync(path)
    return true
  } catch (error) {
    if (isMissing(error)) return false
    throw error
  }
}
