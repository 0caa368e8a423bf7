import type { DeleteOutcome } from '../../storage/blobStore.ts'
import { type Lease, LeaseOver } from '../sweeps/runs/rails.ts'
import type { SweepContext } from '../sweeps/runs/recordRun.ts'
import { assertMayDelete } from './bucketMarker.ts'

/** How old the answer of the bucket may be when the delete is sent. Longer: the process was stopped in between. */
const freshMs = 10_000

/**
 * The only door through which sweeps delete objects of tenants. Asks the bucket right before each batch whether it is still
 * the one of this database and whether nobody objects. Ends the run with REFUSED otherwise.
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

/** The same for an upload in parts that nobody finished. */
export async function abortInBucket(ctx: SweepContext, lease: Lease, key: string, uploadId: string): Promise<void> {
  await askFreshly(ctx, lease)
  await ctx.blobs.abortUpload(key, uploadId)
}

async function askFreshly(ctx: SweepContext, lease: Lease): Promise<void> {
  const askedAt = performance.now()
  await assertMayDelete(ctx)
  lease.assertHeld()
  if (performance.now() - askedAt > freshMs) throw new LeaseOver('The bucket was asked too long ago')
}
