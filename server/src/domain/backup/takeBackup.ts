import { randomBytes } from 'node:crypto'
import pMap from 'p-map'
import {
  type BackupLogin,
  BackupReader,
  type CopiedTable,
  type NeededBlob,
  type Snapshot,
} from '../../database/backup/backupReader.ts'
import { RowDigest } from '../../database/backup/rowDigest.ts'
import type { BlobStore } from '../../storage/blobStore.ts'
import { BackupFolder, makeFolder } from './backupFolder.ts'
import { copyObject, hashFile } from './copyObject.ts'
import { backupFormat, type BackedUpObject, BackupRefused, type Manifest } from './manifest.ts'

export interface BackupParts {
  readonly login: BackupLogin
  readonly blobs: BlobStore
  readonly folder: BackupFolder
  /** A line for people about what is done so far. */
  readonly progress: (line: string) => void
}

export interface TakenBackup {
  readonly manifest: Manifest
  /** The bytes that this backup had to copy. The rest was in the folder. */
  readonly copied: CopiedBytes
}

interface CopiedBytes {
  readonly count: number
  readonly bytes: number
}

const objectsAtOnce = 16

/**
 * A pass over the bucket that takes less time is followed by the snapshot. Released bytes stay in the bucket for at least eleven
 * minutes, so the objects of the snapshot are still there when the last pass reads those that are new.
 */
const quickPassMs = 120_000
const mostPasses = 10
const mostSnapshots = 3

/**
 * Backs up the database and the bytes of its files while they are in use.
 *
 * Bytes come first: passes over the bucket copy what the folder does not have, until one of them is quick. Then one snapshot
 * gives all rows, and the last pass copies what the snapshot needs and the folder does not have yet. So no purge can remove
 * bytes of the snapshot before they are copied, and nothing has to stop purges. If a purge was faster, a new snapshot is taken.
 */
export async function takeBackup(parts: BackupParts): Promise<TakenBackup> {
  const reader = new BackupReader(parts.login)
  try {
    const unreadable = await reader.unreadableTables()
    if (unreadable.length > 0) {
      throw new BackupRefused(
        `The role filegraph_backup cannot read every row of ${unreadable.join(', ')}. Run: npm run -s filegraph -- migrate`,
      )
    }
    await makeFolder(parts.folder.path)
    const work = new Backup(parts, reader)
    await work.copyUntilQuick()
    return await work.takeWhole()
  } finally {
    await reader.close()
  }
}

/** A purge removed bytes of the snapshot before they were copied. */
class Overtaken extends Error {}

class Backup {
  readonly #parts: BackupParts
  readonly #reader: BackupReader
  #count = 0
  #bytes = 0
  /** What no pass has to ask for again. The bucket was asked about each of them several times. */
  readonly #missing = new Set<string>()

  constructor(parts: BackupParts, reader: BackupReader) {
    this.#parts = parts
    this.#reader = reader
  }

  async copyUntilQuick(): Promise<void> {
    for (let pass = 1; pass <= mostPasses; pass += 1) {
      const begun = performance.now()
      const before = this.#count
      for await (const page of this.#reader.neededBlobs()) {
        await pMap(page, (blob) => this.#copy(blob), { concurrency: objectsAtOnce })
        this.#tell(`pass ${pass}: ${this.#count} objects copied, ${this.#bytes} bytes`)
      }
      if (this.#count === before || performance.now() - begun < quickPassMs) return
    }
  }

  async takeWhole(): Promise<TakenBackup> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const manifest = await this.#reader.inSnapshot((snapshot) => this.#write(snapshot))
        await this.#parts.folder.writeManifest(manifest)
        await this.#parts.folder.removeUnfinished(manifest.id)
        return { manifest, copied: { count: this.#count, bytes: this.#bytes } }
      } catch (error) {
        if (!(error instanceof Overtaken)) throw error
        if (attempt >= mostSnapshots) throw new BackupRefused('Purges removed bytes faster than they could be copied.')
        await this.copyUntilQuick()
      }
    }
  }

  async #write(snapshot: Snapshot): Promise<Manifest> {
    const { folder } = this.#parts
    const facts = await snapshot.facts()
    if (facts.journal.tenants === 0) {
      throw new BackupRefused('The database has no tenant. An empty backup is not written.')
    }
    const id = `${facts.at.replace(/\.\d+Z$/, 'Z').replace(/[-:]/g, '')}-${randomBytes(3).toString('hex')}`
    await folder.create(id)
    // Bytes first, because a purge can remove them. The rows of the snapshot stay.
    const objects = { count: 0, bytes: 0 }
    const missing: string[] = []
    const digest = await folder.writeObjects(id, this.#objectsOf(snapshot, objects, missing))
    const tables: CopiedTable[] = []
    for (const table of await snapshot.tables()) {
      const rows = new RowDigest()
      await folder.writeTable(id, table.name, snapshot.copyRows(table, rows))
      tables.push({ ...table, rows: rows.rows, digest: rows.hex })
      this.#tell(`${table.name}: ${rows.rows} rows`)
    }
    const { at, postgres, migrations, installation, journal } = facts
    const described = { id, at, postgres, migrations, installation, journal, tables, missing }
    return { format: backupFormat, ...described, objects: { ...objects, digest }, finishedAt: new Date().toISOString() }
  }

  async *#objectsOf(snapshot: Snapshot, sum: { count: number; bytes: number }, missing: string[]) {
    for await (const page of snapshot.neededBlobs()) {
      const copied = await pMap(page, async (blob) => this.#describe(blob), { concurrency: objectsAtOnce })
      for (const [at, object] of copied.entries()) {
        if (!object) {
          missing.push(page[at]?.key ?? '')
          continue
        }
        sum.count += 1
        sum.bytes += object.byteSize
        yield object
      }
    }
  }

  /** Null if the bytes are missing in the bucket although the files need them. */
  async #describe(blob: NeededBlob): Promise<BackedUpObject | null> {
    const { key, byteSize, etag, contentType } = blob
    const sha256 = await this.#copy(blob)
    if (sha256 !== null) return { key, byteSize, sha256, etag, contentType }
    if (!(await this.#reader.isNeeded(blob))) throw new Overtaken()
    return null
  }

  /** Copies an object that the folder does not have. Objects never change, so an object with its key and size is the same. */
  async #copy(blob: NeededBlob): Promise<string | null> {
    const { folder, blobs } = this.#parts
    if (await folder.has(blob.key, blob.byteSize)) return blob.sha256 ?? hashFile(folder.objectPath(blob.key))
    if (this.#missing.has(blob.key)) return null
    const sha256 = await copyObject(blobs, folder, blob)
    if (sha256 === null) {
      if (await this.#reader.isNeeded(blob)) this.#missing.add(blob.key)
      return null
    }
    this.#count += 1
    this.#bytes += blob.byteSize
    return sha256
  }

  #tell(line: string): void {
    this.#parts.progress(line)
  }
}
