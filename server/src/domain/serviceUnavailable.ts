import { isUnavailable } from '../database/databaseUnavailable.ts'
import { BlobStoreUnavailable } from '../storage/blobStore.ts'

/** True if a dependency gave no usable answer. The caller is not at fault and can retry. */
export function isServiceUnavailable(error: unknown): boolean {
  for (let at = error, depth = 0; at instanceof Error && depth < 5; at = at.cause, depth += 1) {
    if (at instanceof BlobStoreUnavailable || at instanceof KeySetUnavailable || isUnavailable(at)) return true
  }
  return false
}

/** When a caller should try again, in `retry-after` and in the extensions of the error. */
export const retryAfterSeconds = 1

/** The host application's key set could not be fetched, so its tokens cannot be verified now. */
export class KeySetUnavailable extends Error {
  override readonly name = 'KeySetUnavailable'
}
