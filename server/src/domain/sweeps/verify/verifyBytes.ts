import type { BlobStore, ReadOptions } from '../../../storage/blobStore.ts'

export interface CommittedBytes {
  readonly objectKey: string
  readonly byteSize: number
  readonly etag: string | null
  readonly sha256: string | null
}

export type Damage = 'MISSING' | 'DIFFERENT'

export interface VerifiedBytes {
  /**
   * SAME: the bytes have the committed size and ETag, and the SHA-256 in `sha256`. UNPROVEN: they have the committed
   * size and ETag, but no SHA-256 could be verified, because two readings differ or the bytes contradict the MD5 in
   * their ETag.
   */
  readonly verdict: Damage | 'SAME' | 'UNPROVEN'
  readonly sha256: string | null
  /** A `content-encoding` stored with the object, which no upload can declare. */
  readonly contentEncoding: string | null
}

/**
 * Reads the whole object and compares it with the commit. Bytes count as damaged only after a second reading over
 * another connection found the damage too. Bytes without a SHA-256 are hashed. The hash counts if the ETag is the MD5
 * of the same bytes, or if two readings agree.
 */
export async function verifyBytes(store: BlobStore, blob: CommittedBytes): Promise<VerifiedBytes> {
  const first = await read(store, blob, {})
  if (first.isCertain) return first
  const second = await read(store, blob, { onNewConnection: true })
  if (second.isCertain) return second
  const isDamagedTwice = first.verdict !== 'SAME' && second.verdict !== 'SAME'
  const isProvedTwice = first.verdict === 'SAME' && second.verdict === 'SAME' && first.sha256 === second.sha256
  if (isDamagedTwice || (isProvedTwice && !second.contradictsEtag)) return second
  return { ...second, verdict: 'UNPROVEN', sha256: null }
}

interface Reading extends VerifiedBytes {
  readonly isCertain: boolean
  readonly contradictsEtag: boolean
}

async function read(store: BlobStore, blob: CommittedBytes, how: ReadOptions): Promise<Reading> {
  const found = await store.hash(blob.objectKey, how)
  const uncertain = { sha256: null, contentEncoding: null, isCertain: false, contradictsEtag: false }
  if (!found) return { ...uncertain, verdict: 'MISSING' }
  const { sha256, contentEncoding, isEtagOfBytes } = found
  const isAsCommitted = found.byteSize === blob.byteSize && found.etag === blob.etag
  const isOther = blob.sha256 !== null && blob.sha256 !== sha256
  if (!isAsCommitted || isOther) return { ...uncertain, contentEncoding, verdict: 'DIFFERENT' }
  const isCertain = blob.sha256 !== null || isEtagOfBytes === true
  return { verdict: 'SAME', sha256, contentEncoding, isCertain, contradictsEtag: isEtagOfBytes === false }
}
