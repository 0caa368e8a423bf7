import { judgeBucket } from '../../domain/installation/bucketMarker.ts'
import { openServices } from '../../run/services.ts'
import type { BucketOptions } from '../../storage/bucketAddress.ts'
import type { BucketFinding } from '../../storage/s3/bucketProbe.ts'
import { probeBucket } from '../../storage/s3/probeBucket.ts'
import { sentenceFor } from '../sentenceFor.ts'
import { quietLogger } from '../terminal.ts'
import type { CommandParts } from '../withServices.ts'
import { type Check, missing, ok } from './check.ts'

/** Without these Filegraph, or its console, does not work; without the others it works around. */
const needed = /^(reachable|credentials accepted|conditional upload|objects can be deleted|browser uploads from .*)$/

/** Tries on the bucket what Filegraph relies on. */
export async function inspectBucket(options: BucketOptions, origins: readonly string[]): Promise<Check[]> {
  return (await probeBucket(options, origins)).map(checkOf)
}

function checkOf({ behaviour, ok: holds, detail, advice }: BucketFinding): Check {
  const state = holds === true ? 'ok' : needed.test(behaviour) ? 'missing' : 'warning'
  return { name: `bucket: ${behaviour}`, state, detail, ...(advice !== undefined && { remedy: advice }) }
}

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
