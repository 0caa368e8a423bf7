import { isUnavailable } from '../database/databaseUnavailable.ts'
import { BlobStoreUnavailable } from '../storage/blobStore.ts'

/** Something that we depend on gave no usable answer: no fault of the caller, and worth another try. */
export function isServiceUnavailable(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof BlobStoreUnavailable || at instanceof KeySetUnavailable || isUnavailable(at)) return true
  }
  return false
}

/** The host application's key set could not be fetched: its tokens can be neither accepted nor refused now. */
export class KeySetUnavailable extends Error {
  override readonly name = 'KeySetUnavailable'
}
