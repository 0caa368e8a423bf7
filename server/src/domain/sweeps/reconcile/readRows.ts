import { and, asc, gte, lt } from 'drizzle-orm'
import { isState } from '../../../database/conditions.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import { reading } from '../../context.ts'
import type { SweepContext } from '../runs/recordRun.ts'
import type { ListedObject } from './listInOrder.ts'

export const rowsAtOnce = 1_000

/** The columns that are compared with the bucket. */
export type ReconciledRow = Pick<
  typeof blobs.$inferSelect,
  'id' | 'objectKey' | 'status' | 'byteSize' | 'etag' | 'sha256' | 'quarantinedAt'
>

/**
 * Blobs by id, which is the order of their keys, from one id up to but excluding another. Null is an open end. Reads
 * one more row than is used, to know whether there are more.
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
          tx.inTenant(blobs),
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
      .where(and(tx.inTenant(blobs), isState(blobs.status, 'ready')))
      .limit(1)
    return found.length > 0
  })

/** A row that the listing contradicts. It must be checked before it is reported. */
export interface Suspect {
  readonly row: ReconciledRow
  /** RETURNED: the bytes were missing or damaged, and the listing shows them as committed. */
  readonly suspicion: 'MISSING' | 'DIFFERENT' | 'RETURNED'
}

/** Compares objects with the rows of the same range. Rows in `pending` or `deleting` may or may not have an object. */
export function comparePage(
  objects: readonly ListedObject[],
  rows: readonly ReconciledRow[],
): { readonly orphans: ListedObject[]; readonly suspects: Suspect[] } {
  const rowOf = new Map(rows.map((row) => [row.objectKey, row]))
  const orphans: ListedObject[] = []
  const suspects: Suspect[] = []
  const listed = new Set<string>()
  for (const object of objects) {
    const row = rowOf.get(object.key)
    if (!row) {
      orphans.push(object)
      continue
    }
    listed.add(row.id)
    if (row.status !== 'ready') continue
    const isSame = object.byteSize === row.byteSize && object.etag === row.etag
    if (!isSame) suspects.push({ row, suspicion: 'DIFFERENT' })
    else if (row.quarantinedAt !== null) suspects.push({ row, suspicion: 'RETURNED' })
  }
  for (const row of rows) {
    if (row.status === 'ready' && !listed.has(row.id)) suspects.push({ row, suspicion: 'MISSING' })
  }
  return { orphans, suspects }
}
