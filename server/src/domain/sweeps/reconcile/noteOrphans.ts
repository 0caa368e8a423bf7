import { sql } from 'drizzle-orm'
import { readDatabaseClock } from '../../../database/lockRows.ts'
import { orphanObjects } from '../../../database/tables/cleanupTables.ts'
import { writeUnattended } from '../../change.ts'
import { latest } from '../../clocks.ts'
import type { Run, SweepContext } from '../runs/recordRun.ts'
import type { ListedObject } from './listInOrder.ts'

const rowsPerStatement = 50

/**
 * Records when each object without a row was first seen, by the later of our own clocks. The store's modification time
 * is not used. The watch starts over if another object appears under the same key.
 */
export async function noteOrphans(ctx: SweepContext, run: Run, orphans: readonly ListedObject[]): Promise<void> {
  if (run.isDryRun || orphans.length === 0) return
  await writeUnattended(ctx.database, ctx.principal.tenantId, async (tx) => {
    const firstSeenAt = latest(ctx.now(), await readDatabaseClock(tx))
    for (let at = 0; at < orphans.length; at += rowsPerStatement) {
      await tx.db
        .insert(orphanObjects)
        .values(
          orphans.slice(at, at + rowsPerStatement).map(({ key, byteSize, etag }) => ({
            tenantId: tx.tenantId,
            objectKey: key,
            byteSize,
            etag,
            firstSeenAt,
            seenByRun: run.id,
          })),
        )
        .onConflictDoUpdate({
          target: [orphanObjects.tenantId, orphanObjects.objectKey],
          set: {
            seenByRun: sql`excluded.seen_by_run`,
            etag: sql`excluded.etag`,
            byteSize: sql`excluded.byte_size`,
            firstSeenAt: sql`case when ${orphanObjects.etag} = excluded.etag then ${orphanObjects.firstSeenAt}
              else excluded.first_seen_at end`,
          },
        })
    }
  })
}
