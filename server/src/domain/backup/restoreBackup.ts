import type { Readable } from 'node:stream'
import { hostname } from 'node:os'
import { usualSchema } from '../../database/databaseAddress.ts'
import type { BackupLogin, CopiedTable } from '../../database/backup/backupReader.ts'
import { loadTables, notEmpty, type OtherEtag, readTarget } from '../../database/backup/loadTables.ts'
import { knownMigrations, migrate } from '../../database/migrate.ts'
import type { BlobStore } from '../../storage/blobStore.ts'
import { holdForRestore, releaseRestore, isHeldForRestore } from '../installation/restoreHold.ts'
import type { BackupFolder } from './backupFolder.ts'
import { BackupRefused, countOf, type Manifest } from './manifest.ts'
import { assertEmptyBucket, compareBucket, putObjects } from './restoreBytes.ts'
import { assertNotEmpty } from './verifyBackup.ts'

export interface RestoreParts {
  /** A login that can create tables and roles. */
  readonly login: BackupLogin
  /** The logins of the application. */
  readonly members: readonly string[]
  readonly blobs: BlobStore
  readonly folder: BackupFolder
  readonly progress: (line: string) => void
}

/**
 * Restores a backup into an empty database and an empty bucket, and verifies all of it.
 *
 * A veto comes first, so that no database deletes anything from the bucket while the restore is not finished. Then the bytes,
 * each verified. Then tables, and all rows in one transaction, which compares each table with the backup: the database has all
 * or nothing. The veto goes last. After an interruption the same command continues: it sends the bytes that are missing, or only
 * removes the veto if the rows are there.
 */
export async function restoreBackup(parts: RestoreParts, manifest: Manifest): Promise<void> {
  const { login, blobs } = parts
  assertKnown(manifest)
  assertNotEmpty(manifest)
  const isHeld = await isHeldForRestore(blobs, manifest.id)
  const { tableWithRows, journal } = await readTarget(login)
  if (tableWithRows === null || !isHeld || journal?.digest !== manifest.journal.digest) {
    if (tableWithRows !== null) throw notEmpty(tableWithRows)
    if (!isHeld) await assertEmptyBucket(blobs)
    await restoreEverything(parts, manifest)
  }
  await releaseRestore(blobs, manifest.id)
}

async function restoreEverything(parts: RestoreParts, manifest: Manifest): Promise<void> {
  const { blobs, folder, progress } = parts
  await holdForRestore(blobs, describe(manifest))
  const bytes = { folder, manifest, blobs, progress }
  await putObjects(bytes)
  await loadRows(parts, manifest, await compareBucket(bytes))
}

function assertKnown({ migrations }: Manifest): void {
  const known = new Set(knownMigrations())
  const unknown = migrations.filter((name) => !known.has(name))
  if (unknown.length === 0) return
  throw new BackupRefused(
    `The backup is of a newer version of Filegraph, with the migration ${unknown.at(-1)}. Restore it with that version.`,
  )
}

async function loadRows(parts: RestoreParts, manifest: Manifest, otherEtags: readonly OtherEtag[]): Promise<void> {
  const { login, members, folder, progress } = parts
  const { url, schema = usualSchema } = login
  const load = {
    tables: manifest.tables,
    journal: manifest.journal,
    otherEtags,
    open: (table: CopiedTable): Readable => folder.readTable(manifest.id, table.name),
    onTable: ({ name, rows }: CopiedTable) => progress(`${name}: ${rows} rows`),
  }
  const upTo = manifest.migrations.at(-1)
  await migrate(url, {
    members,
    schema,
    ...(upTo !== undefined && { upTo }),
    afterwards: (tx) => loadTables(tx, schema, load),
  })
}

function describe(manifest: Manifest) {
  const { id, at, installation, objects } = manifest
  const self = {
    installationId: installation?.id ?? '',
    generation: installation?.generation ?? 0,
    databaseName: 'restore',
    host: hostname(),
    tenants: countOf(manifest, 'tenants'),
    tenantsCounted: 0,
    files: countOf(manifest, 'files'),
    trashedFiles: 0,
    versions: countOf(manifest, 'file_versions'),
    storedBytes: objects.bytes,
    newestUploadAt: null,
    lastChangeAt: at,
  }
  return { id, self }
}
