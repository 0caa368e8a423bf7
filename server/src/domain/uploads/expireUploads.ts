import { and, eq, lte } from 'drizzle-orm'
import { uploads } from '../../database/tables.ts'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'
import type { Actor } from '../audit/recordChange.ts'
import { limits } from '../limits.ts'
import { releaseUpload } from './releaseUpload.ts'

/**
 * Ends the intents of one tenant whose time is over, a batch at a time. Answers with how many it ended; several workers
 * may do this at once, since each skips what another holds.
 */
export async function expireUploads(database: TenantDatabase, by: Actor): Promise<number> {
  let total = 0
  for (;;) {
    const ended = await database.write(by.principal.tenantId, async (tx) => {
      const due = await tx.db
        .select({
          id: uploads.id,
          blobId: uploads.blobId,
          name: uploads.declaredName,
          byteSize: uploads.declaredByteSize,
        })
        .from(uploads)
        .where(and(tx.mine(uploads), eq(uploads.state, 'PENDING'), lte(uploads.expiresAt, by.now())))
        .orderBy(uploads.expiresAt)
        .limit(limits.expiredUploadsPerBatch)
        .for('update', { skipLocked: true })
      for (const upload of due) {
        await releaseUpload(tx, by, upload, { state: 'EXPIRED', action: 'upload_intent.expired' })
      }
      return due.length
    })
    total += ended
    if (ended < limits.expiredUploadsPerBatch) return total
  }
}
