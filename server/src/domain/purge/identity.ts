import type { BlobStore } from '../../storage/blobStore.ts'
import { inParallel } from '../inParallel.ts'
import type { BlobEvidence } from './gates.ts'

export type Identified = 'SAME' | 'ABSENT' | 'ANOTHER'

const requestsAtOnce = 32

/**
 * The rail of identity: what lies under each key now. SAME is the object that was committed, by etag and size, or
 * whatever came of an upload that never was committed; ABSENT is nothing; ANOTHER must not be deleted. Rejects with
 * `BlobStoreUnavailable` when a single answer is missing.
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
