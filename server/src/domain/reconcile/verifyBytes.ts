import type { BlobStore } from '../../storage/blobStore.ts'

/** Larger objects are compared by size and etag alone: reading them would take longer than a sweep may. */
const largestHashed = 64 * 1024 ** 2

export interface CommittedBytes {
  readonly objectKey: string
  readonly byteSize: number
  readonly etag: string | null
  readonly sha256: string | null
}

export type Damage = 'MISSING' | 'DIFFERENT'

/**
 * Looks at bytes as a reader would find them: there, of the size and etag that were committed, and, where a SHA-256 was
 * proved and they are not too large, byte for byte. Null when nothing is wrong with them.
 */
export async function verifyBytes(store: BlobStore, blob: CommittedBytes): Promise<Damage | null> {
  const stored = await store.head(blob.objectKey)
  if (!stored) return 'MISSING'
  if (stored.byteSize !== blob.byteSize || stored.etag !== blob.etag) return 'DIFFERENT'
  if (blob.sha256 === null || blob.byteSize > largestHashed) return null
  const found = await store.sha256(blob.objectKey)
  if (found === null) return 'MISSING'
  return found === blob.sha256 ? null : 'DIFFERENT'
}
