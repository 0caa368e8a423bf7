import type { BucketFinding } from '../../storage/bucketProbe.ts'
import type { BucketOptions } from '../../storage/bucketOptions.ts'
import { probeBucket } from '../../storage/probeBucket.ts'
import type { Check } from './check.ts'

/** Without these Filegraph, or its console, does not work; without the others it works around. */
const needed = /^(reachable|credentials accepted|conditional upload|objects can be deleted|browser uploads from .*)$/

/** Tries on the bucket what Filegraph relies on. */
export async function inspectBucket(options: BucketOptions, origins: readonly string[]): Promise<Check[]> {
  return (await probeBucket(options, origins)).map(checkOf)
}

function checkOf({ behaviour, ok, detail, advice }: BucketFinding): Check {
  const state = ok === true ? 'ok' : needed.test(behaviour) ? 'missing' : 'warning'
  return { name: `bucket: ${behaviour}`, state, detail, ...(advice !== undefined && { remedy: advice }) }
}
