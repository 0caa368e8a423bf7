import { judgeBucket } from '../../domain/installation/bucketMarker.ts'
import { readStrays } from '../../domain/sweeps/strays/strayRecords.ts'
import { openBackends, type Backends } from '../../run/openBackends.ts'
import type { BucketOptions } from '../../storage/bucketAddress.ts'
import type { BucketFinding } from '../../storage/s3/bucketProbe.ts'
import { probeBucket } from '../../storage/s3/probeBucket.ts'
import { sentenceFor } from '../sentenceFor.ts'
import { quietLogger } from '../terminal.ts'
import type { CommandParts } from '../withBackends.ts'
import { type Check, missing, ok, warning } from './check.ts'

/** Findings that Filegraph or its console needs. It can work without the others. */
const needed = /^(reachable|credentials accepted|conditional upload|objects can be deleted|browser uploads from .*)$/

/** Tests the features of the bucket that Filegraph relies on. */
export async function inspectBucket(options: BucketOptions, origins: readonly string[]): Promise<Check[]> {
  return (await probeBucket(options, origins)).map(checkOf)
}

function checkOf({ behaviour, ok: holds, detail, advice }: BucketFinding): Check {
  const state = holds === true ? 'ok' : needed.test(behaviour) ? 'missing' : 'warning'
  return { name: `bucket: ${behaviour}`, state, detail, ...(advice !== undefined && { remedy: advice }) }
}

const name = 'deletes'
const remedy = 'Run: npm run -s filegraph -- accept-bucket'

/** Checks whether this database owns the bucket, so that sweeps may delete. Changes nothing in the bucket. */
export async function inspectOwner({ addresses, config }: CommandParts): Promise<Check[]> {
  const { cleanup } = config
  const applicationName = 'filegraph doctor'
  const backends = openBackends({ ...addresses, logger: quietLogger, poolSize: 1, cleanup, applicationName })
  try {
    const { doubt, newest } = await judgeBucket(backends)
    const owner =
      doubt === null
        ? ok(name, newest ? 'The bucket is the one of this database' : 'The bucket is not marked yet')
        : missing(name, `Nothing is deleted from the bucket. ${doubt.sentence}`, remedy)
    return [owner, await inspectStrays(backends)]
  } catch (error) {
    return [missing(name, `Nothing is deleted from the bucket. ${sentenceFor(error)}`, remedy)]
  } finally {
    await backends.close()
  }
}

/** Reports what the last search for strays found. Reads only the database. */
async function inspectStrays({ database }: Backends): Promise<Check> {
  const what = 'objects of no tenant'
  const { ofTenants, others, oldest, lastRunAt } = await readStrays(database)
  const beside = others === null ? '' : `; ${others.prefixes} prefixes are not of Filegraph, and are left alone`
  if (ofTenants === null || oldest === null) {
    return ok(what, lastRunAt ? `None were found at ${lastRunAt.toISOString()}${beside}` : 'Not searched for yet')
  }
  const { prefixes, objectCount, byteSize } = ofTenants
  const detail = `${objectCount} objects (${byteSize} bytes) under ${prefixes} prefixes, such as ${oldest.prefix} since ${oldest.firstSeenAt.toISOString()}${beside}`
  return warning(what, detail, 'Run: npm run -s filegraph -- sweep strays --dry-run')
}
