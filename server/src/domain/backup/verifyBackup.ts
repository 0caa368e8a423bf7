import pMap from 'p-map'
import { digestOf } from '../../database/backup/rowDigest.ts'
import type { BackupFolder } from './backupFolder.ts'
import { hashFile } from './copyObject.ts'
import { type BackedUpObject, BackupRefused, countOf, type Manifest } from './manifest.ts'

const objectsAtOnce = 4
const batchSize = 200

/** Reads a whole backup, rows and bytes, and compares them with its manifest. Throws at the first difference. */
export async function verifyBackup(
  folder: BackupFolder,
  manifest: Manifest,
  progress: (line: string) => void = () => undefined,
): Promise<void> {
  assertNotEmpty(manifest)
  for (const table of manifest.tables) {
    const digest = await digestOf(folder.readTable(manifest.id, table.name))
    if (digest.rows === table.rows && digest.hex === table.digest) continue
    throw new BackupRefused(
      `The rows of ${table.name} are damaged: ${digest.rows} differ from the ${table.rows} written.`,
    )
  }
  let count = 0
  for await (const batch of inBatches(folder.readObjects(manifest))) {
    await pMap(batch, (object) => assertIntact(folder, object), { concurrency: objectsAtOnce })
    count += batch.length
    progress(`verified ${count} of ${manifest.objects.count} objects`)
  }
}

export function assertNotEmpty(manifest: Manifest): void {
  if (countOf(manifest, 'tenants') > 0 && manifest.journal.tenants > 0) return
  throw new BackupRefused('The backup has no tenant. It was written by a login that could not read the rows.')
}

export async function assertIntact(folder: BackupFolder, object: BackedUpObject): Promise<void> {
  if (!(await folder.has(object.key, object.byteSize))) {
    throw new BackupRefused(`The bytes of ${object.key} are not in the backup.`)
  }
  if ((await hashFile(folder.objectPath(object.key))) !== object.sha256) {
    throw new BackupRefused(`The bytes of ${object.key} in the backup are damaged.`)
  }
}

export async function* inBatches<T>(items: AsyncIterable<T>): AsyncGenerator<T[]> {
  let batch: T[] = []
  for await (const item of items) {
    batch.push(item)
    if (batch.length < batchSize) continue
    yield batch
    batch = []
  }
  if (batch.length > 0) yield batch
}
