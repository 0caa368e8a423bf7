import { RunEnded } from '../cleanup/recordRun.ts'
import { judgeBucket } from '../reconcile/bucketMarker.ts'
import { readInstallation } from '../reconcile/installation.ts'
import { type Finding, information, type IntegrityContext, violation } from './finding.ts'

/** Whether this database owns the bucket: neither was put back, and no other database uses it. Changes nothing. */
export async function* checkBucketOwner(ctx: IntegrityContext): AsyncGenerator<Finding> {
  const { id } = await readInstallation(ctx.database)
  try {
    const { doubt, newest } = await judgeBucket(ctx)
    if (doubt !== null) yield violation('BUCKET', null, 'bucket', id, doubt.sentence)
    else if (newest === null) yield information('BUCKET', null, 'bucket', id, 'The bucket is not marked yet.')
  } catch (error) {
    // A marker that cannot be read or understood.
    if (!(error instanceof RunEnded)) throw error
    yield violation('BUCKET', null, 'bucket', id, error.message)
  }
}
