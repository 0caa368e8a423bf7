import { and, asc, gte, lt } from 'drizzle-orm'
import { isState } from '../../database/isState.ts'
import { blobs } from '../../database/tables/fileTables.ts'
import { reading } from '../context.ts'
import type { SweepContext } from '../cleanup/recordRun.ts'

export const rowsAtOnce = 1_000

/** What the bucket is held against. */
export type ReconciledRow = Pick<
  typeof blobs.$inferSelect,
  'id' | 'objectKey' | 'status' | 'byteSize' | 'etag' | 'sha256' | 'quarantinedAt'
>

/**
 * Blobs by id, which is the order of their keys: those from one id on and before another, null being an open end. One more
 * than is used at once, so that it is known whether there are more.
 */
export const readRows = (ctx: SweepContext, from: string | null, before: string | null): Promise<ReconciledRow[]> =>
  reading(ctx, (tx) =>
    tx.db
      .select({
        id: blobs.id,
        objectKey: blobs.objectKey,
        status: blobs.status,
        byteSize: blobs.byteSize,
        etag: blobs.etag,
        sha256: blobs.sha256,
        quarantinedAt: blobs.quarantinedAt,
      })
      .from(blobs)
      .where(
        and(
          tx.mine(blobs),
          from === null ? undefined : gte(blobs.id, from),
          before === null ? undefined : lt(blobs.id, before),
        ),
      )
      .orderBy(asc(blobs.id))
      .limit(rowsAtOnce + 1),
  )

export const hasReadyBlobs = (ctx: SweepContext): Promise<boolean> =>
  reading(ctx, async (tx) => {
    const found = await tx.db
      .select({ id: blobs.id })
      .from(blobs)
      .where(and(tx.mine(blobs), isState(blobs.status, 'ready')))
      .limit(1)
    return found.length > 0
  })
