import type { BlobStore } from '../../storage/blobStore.ts'
import { inParallel } from '../inParallel.ts'
import type { BlobEvidence } from './gates.ts'

export type Identified = 'SAME' | 'ABSENT' | 'ANOTHER'

const requestsAtOnce = 32

/**
 * The identity rail: compares the object under each key with what was committed.
 *
 * - SAME: the committed object, by ETag and size, or any object of an upload that was never committed.
 * - ABSENT: the store reports no object. This is not proof: the caller still sends the DELETE.
 * - ANOTHER: a different object, which must not be deleted.
 *
 * Rejects with `BlobStoreUnavailable` if any answer is missing.
 */
export const identifyObjects = (
  store: BlobStore,
  tenantId: string,
  blobs: readonly BlobEvidence[],
): Promise<Identified[]> => inParallel(blobs, requestsAtOnce, (blob) => identifyObject(store, tenantId, blob))

async function identifyObject(store: BlobStore, tenantId: string, blob: BlobEvidence): Promise<Identified> {
  if (!blob.objectKey.startsWith(`org/${tenantId}/files/${blob.id}`)) return 'ANOTHER'
  const stored = await store.head(blob.objectKey)
  if (!stored) return 'ABSENT'
  if (blob.etag === null) return 'SAME'
  return stored.etag === blob.etag && stored.byteSize === blob.byteSize ? 'SAME' : 'ANOTHER'
}
