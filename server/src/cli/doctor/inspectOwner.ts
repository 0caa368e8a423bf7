import { judgeBucket } from '../../domain/reconcile/bucketMarker.ts'
import { openServices } from '../../services.ts'
import { quietLogger } from '../quietLogger.ts'
import { sentenceFor } from '../sentenceFor.ts'
import type { CommandParts } from '../withParts.ts'
import { type Check, missing, ok } from './check.ts'

const name = 'deletes'
const remedy = 'Run: npm run -s filegraph -- accept-bucket'

/** Whether this database owns the bucket, so that sweeps may delete. Changes nothing in the bucket. */
export async function inspectOwner({ addresses, config }: CommandParts): Promise<Check> {
  const { cleanup } = config
  const applicationName = 'filegraph doctor'
  const services = openServices({ ...addresses, logger: quietLogger, poolSize: 1, cleanup, applicationName })
  try {
    const { doubt, newest } = await judgeBucket(services)
    if (doubt !== null) return missing(name, `Nothing is deleted from the bucket. ${doubt.sentence}`, remedy)
    return ok(name, newest ? 'The bucket is the one of this database' : 'The bucket is not marked yet')
  } catch (error) {
    return missing(name, `Nothing is deleted from the bucket. ${sentenceFor(error)}`, remedy)
  } finally {
    await services.close()
  }
}
