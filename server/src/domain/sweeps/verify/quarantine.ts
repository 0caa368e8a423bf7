import { and, isNotNull, isNull } from 'drizzle-orm'
import { isState, isAnyOf } from '../../../database/conditions.ts'
import { lockRows } from '../../../database/lockRows.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import { change } from '../../change.ts'
import type { Context } from '../../context.ts'

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
