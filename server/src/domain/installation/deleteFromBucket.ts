import type { DeleteOutcome } from '../../storage/blobStore.ts'
import { type Lease, LeaseOver } from '../sweeps/runs/rails.ts'
import type { SweepContext } from '../sweeps/runs/recordRun.ts'
import { assertMayDelete } from './bucketMarker.ts'

/**
 * The maximum age of the bucket's answer when the delete is sent. If it is older, the process was suspended in between.
 */
const freshMs = 10_000

/**
 * The only function through which sweeps delete objects of tenants. Right before each batch it checks that the bucket
 * belongs to this database and that no database objects. Ends the run with REFUSED otherwise. Rejects with `RunTakenOver` if
 * another worker has the run.
 */
export async function deleteFromBucket(
  ctx: SweepContext,
  lease: Lease,
  keys: readonly string[],
): Promise<DeleteOutcome> {
  if (keys.length === 0) return { failed: [] }
  await askFreshly(ctx, lease)
  return ctx.blobs.delete(keys)
}

/** As `deleteFromBucket`, for an unfinished multipart upload. */
export async function abortInBucket(ctx: SweepContext, lease: Lease, key: string, uploadId: string): Promise<void> {
  await askFreshly(ctx, lease)
  await ctx.blobs.abortUpload(key, uploadId)
}

async function askFreshly(ctx: SweepContext, lease: Lease): Promise<void> {
  const askedAt = performance.now()
  await ctx.assertHeld?.()
  await assertMayDelete(ctx)
  lease.assertHeld()
  if (performance.now() - askedAt > freshMs) throw new LeaseOver('The bucket was asked too long ago')
}
