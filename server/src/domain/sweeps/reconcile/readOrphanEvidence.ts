import { and, eq, or, type SQL, sql } from 'drizzle-orm'
import pMap from 'p-map'
import { isAnyOf } from '../../../database/conditions.ts'
import { readDatabaseClock } from '../../../database/lockRows.ts'
import { orphanObjects } from '../../../database/tables/cleanupTables.ts'
import { blobs } from '../../../database/tables/fileTables.ts'
import { events } from '../../../database/tables/journalTables.ts'
import { uploads } from '../../../database/tables/uploadTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { earliest } from '../../clocks.ts'
import { reading } from '../../context.ts'
import { assertMayDelete } from '../../installation/bucketMarker.ts'
import { RunEnded, type SweepContext } from '../runs/recordRun.ts'
import { blobIdIn } from './listInOrder.ts'
import type { OrphanEvidence } from './orphanGates.ts'

export type Orphan = typeof orphanObjects.$inferSelect

const requestsAtOnce = 16

/** Reads the evidence for each object. Reads the store before the rows, so that a row created in between is seen. */
export async function readOrphanEvidence(ctx: SweepContext, orphans: readonly Orphan[]): Promise<OrphanEvidence[]> {
  const stored = await pMap(orphans, ({ objectKey }) => ctx.blobs.head(objectKey), { concurrency: requestsAtOnce })
  const isOwnBucket = await isOurs(ctx)
  return reading(ctx, async (tx) => {
    const prefix = `org/${tx.tenantId}/`
    const idOf = new Map(orphans.map(({ objectKey }) => [objectKey, blobIdIn(objectKey, prefix)]))
    const ids = [...idOf.values()].filter((id) => id !== null)
    const rows = await readOwned(tx, orphans, ids)
    const intents = await readIntents(tx, ids)
    const purges = await readPurges(tx, ids)
    const now = earliest(ctx.now(), await readDatabaseClock(tx))
    return orphans.map((orphan, at) => {
      const id = idOf.get(orphan.objectKey) ?? null
      const own = intents.filter(({ blobId }) => blobId === id)
      return {
        ...orphan,
        stored: stored[at] ?? null,
        isOwnBucket,
        now,
        rowCount: rows.filter((row) => row.id === id || row.objectKey === orphan.objectKey).length,
        openIntentCount: own.filter(({ state }) => state === 'PENDING').length,
        endedIntentCount: own.filter(({ state }) => state !== 'PENDING').length,
        purgeCount: purges.filter((purge) => purge.blobId === id).length,
      }
    })
  })
}

/** Returns false if the bucket is in doubt. Rejects only if it does not answer. */
async function isOurs(ctx: SweepContext): Promise<boolean> {
  try {
    await assertMayDelete(ctx)
    return true
  } catch (error) {
    if (error instanceof RunEnded) return false
    throw error
  }
}

const readOwned = (tx: Transaction, orphans: readonly Orphan[], ids: readonly string[]) => {
  const keys = orphans.map(({ objectKey }) => objectKey)
  return tx.db
    .select({ id: blobs.id, objectKey: blobs.objectKey })
    .from(blobs)
    .where(
      and(tx.inTenant(blobs), or(sql`${blobs.objectKey} = any(${sql.param(keys)}::text[])`, isAnyOf(blobs.id, ids))),
    )
}

const readIntents = (tx: Transaction, ids: readonly string[]) =>
  tx.db
    .select({ blobId: uploads.blobId, state: uploads.state })
    .from(uploads)
    .where(and(tx.inTenant(uploads), isAnyOf(uploads.blobId, ids)))

const readPurges = (tx: Transaction, ids: readonly string[]) =>
  tx.db
    .select({ blobId: events.subjectId })
    .from(events)
    .where(and(tx.inTenant(events), isAnyOf(events.subjectId, ids), eq(events.type, 'blob.purged')))

const blobIdOfKey = sql`cast(substring(${orphanObjects.objectKey}
  from '^org/[-0-9a-f]{36}/files/([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})') as uuid)`

/**
 * Watched objects that the history of this database explains, so that a run does not request the others from the store.
 * It only finds candidates: the gate reads the facts again for each object.
 */
export const isExplained: SQL = sql`(exists (select 1 from ${events}
    where ${events.tenantId} = ${orphanObjects.tenantId} and ${events.subjectId} = ${blobIdOfKey}
      and ${events.type} = 'blob.purged')
  and exists (select 1 from ${uploads}
    where ${uploads.tenantId} = ${orphanObjects.tenantId} and ${uploads.blobId} = ${blobIdOfKey}))`
