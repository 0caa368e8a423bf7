import type { BlobStore } from '../../storage/blobStore.ts'
import type { Side } from './describeSide.ts'
import { encodeVeto, vetoPrefix } from './veto.ts'

/*
 * While a restore is not finished, the bucket has a veto of the restore: no database on it deletes anything, and all of them say
 * why. The backup is in its key, so that an interrupted restore knows its own bucket.
 */

const keyOf = (backup: string) => `${vetoPrefix}restore/${backup}`

export async function isHeldForRestore(blobs: BlobStore, backup: string): Promise<boolean> {
  const { objects } = await blobs.list({ prefix: keyOf(backup), maxKeys: 1 })
  return objects.length > 0
}

export async function holdForRestore(blobs: BlobStore, { id, self }: { id: string; self: Side }): Promise<void> {
  const sentence = `The restore of the backup ${id} into this bucket has not finished. Run it again with an empty database.`
  const at = new Date().toISOString()
  const content = encodeVeto({ finding: 'UNMARKED', sentence, at, self, other: null })
  await blobs.write(keyOf(id), content, { contentType: 'application/json', onlyIf: 'ABSENT' })
}

export async function releaseRestore(blobs: BlobStore, backup: string): Promise<void> {
  const { failed } = await blobs.delete([keyOf(backup)])
  if (failed[0]) throw new Error(`The veto of the restore could not be removed: ${failed[0].code}`)
}
