import { and, isNotNull, isNull } from 'drizzle-orm'
import { isAnyOf, isState } from '../../../database/conditions.ts'
import { lockRows } from '../../../database/lockRows.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import type { BlobStore, ReadOptions } from '../../../storage/blobStore.ts'
import { change } from '../../change.ts'
import type { Context } from '../../context.ts'

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

interface Quarantined {
  readonly id: string
  readonly objectKey: string
}

/** Marks rows whose bytes are missing or damaged. The rows stay visible and are never deleted for that reason. */
export async function quarantine(
  ctx: Context,
  bad: readonly { readonly row: Quarantined; readonly reason: string }[],
): Promise<void> {
  for (const reason of new Set(bad.map((one) => one.reason))) {
    const rows = bad.filter((one) => one.reason === reason).map(({ row }) => row)
    const ids = rows.map(({ id }) => id)
    await change(ctx, async (tx) => {
      await lockRows(tx, blobs, ids)
      const marked = await tx.db
        .update(blobs)
        .set({ quarantinedAt: ctx.now(), quarantineReason: reason })
        .where(
          and(tx.inTenant(blobs), isAnyOf(blobs.id, ids), isState(blobs.status, 'ready'), isNull(blobs.quarantinedAt)),
        )
        .returning({ id: blobs.id, objectKey: blobs.objectKey })
      const recordOf = ({ id, objectKey }: Quarantined) =>
        ({ action: 'blob.quarantined', id, name: null, payload: { objectKey, reason } }) as const
      return { answer: undefined, records: marked.map(recordOf) }
    })
  }
}

/** The stored bytes are again as they were committed. */
export async function liftQuarantine(ctx: Context, rows: readonly Quarantined[]): Promise<void> {
  if (rows.length === 0) return
  await change(ctx, async (tx) => {
    const ids = rows.map(({ id }) => id)
    await lockRows(tx, blobs, ids)
    const cleared = await tx.db
      .update(blobs)
      .set({ quarantinedAt: null, quarantineReason: null })
      .where(and(tx.inTenant(blobs), isAnyOf(blobs.id, ids), isNotNull(blobs.quarantinedAt)))
      .returning({ id: blobs.id, objectKey: blobs.objectKey })
    const recordOf = ({ id, objectKey }: Quarantined) =>
      ({ action: 'blob.cleared', id, name: null, payload: { objectKey } }) as const
    return { answer: undefined, records: cleared.map(recordOf) }
  })
}
