import { and, asc, gte, lt } from 'drizzle-orm'
import { isState } from '../../../database/conditions.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import { reading } from '../../context.ts'
import type { SweepContext } from '../runs/recordRun.ts'
import type { ListedObject } from './listInOrder.ts'

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

/** A row that the listing contradicts: to be looked at closely before anything is said of it. */
export interface Suspect {
  readonly row: ReconciledRow
  /** RETURNED: its bytes were known to be gone or damaged, and are listed as they were committed. */
  readonly suspicion: 'MISSING' | 'DIFFERENT' | 'RETURNED'
}

/** Objects against the rows of the same range. Rows that are pending or on their way out may have an object or none. */
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
