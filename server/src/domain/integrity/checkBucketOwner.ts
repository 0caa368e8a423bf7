import { RunEnded } from '../cleanup/recordRun.ts'
import { assertOwnBucket } from '../reconcile/bucketMarker.ts'
import { readInstallation } from '../reconcile/installation.ts'
import { type Finding, information, type IntegrityContext, violation } from './finding.ts'

/** Whether the bucket is the one that this database was last used with, neither of them put back. */
export async function* checkBucketOwner(ctx: IntegrityContext): AsyncGenerator<Finding> {
  const { id, isMarked } = await readInstallation(ctx.database)
  if (!isMarked) {
    // The first sweep would mark it; whoever only looks leaves it as it is.
    const { objects } = await ctx.blobs.list({ prefix: 'filegraph/installation/', maxKeys: 1 })
    if (objects.length === 0) return yield information('BUCKET', null, 'bucket', id, 'The bucket is not marked yet.')
  }
  try {
    await assertOwnBucket(ctx)
  } catch (error) {
    if (!(error instanceof RunEnded)) throw error
    yield violation('BUCKET', null, 'bucket', id, error.message)
  }
}
