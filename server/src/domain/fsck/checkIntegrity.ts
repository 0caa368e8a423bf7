import { judgeBucket } from '../installation/bucketMarker.ts'
import { readInstallation } from '../installation/installation.ts'
import { RunEnded } from '../sweeps/runs/recordRun.ts'
import { readFirstSeen } from '../sweeps/strays/strayRecords.ts'
import { walkStrays } from '../sweeps/strays/walkStrays.ts'
import { type TenantName, listTenantNames } from '../tenants/findTenant.ts'
import { checkBlobs, checkUploads } from './checkBlobs.ts'
import { checkBytes } from './checkBytes.ts'
import { checkFiles } from './checkFiles.ts'
import { checkJournal } from './checkJournal.ts'
import { checkUsage } from './checkUsage.ts'
import { type Finding, type IntegrityContext, information, violation } from './finding.ts'

export interface IntegrityOptions {
  /** Check only this tenant. Default: all tenants, and objects that belong to none. */
  readonly tenant?: TenantName | undefined
  /** Check only rows. */
  readonly skipsBucket?: boolean | undefined
}

/**
 * Checks every invariant of the database and the bucket and yields one finding for each violation. Memory does not grow
 * with the number of rows, objects or findings. Changes nothing. Concurrent changes cause no false findings: each
 * statement compares one snapshot, and contradictions of the bucket are read again before they are reported.
 *
 * Throws `BlobStoreUnavailable` or `DatabaseUnavailable` if an answer is missing, because that is neither a violation
 * nor its absence.
 */
export async function* checkIntegrity(
  ctx: IntegrityContext,
  { tenant, skipsBucket = false }: IntegrityOptions = {},
): AsyncGenerator<Finding> {
  if (!skipsBucket) yield* checkBucketOwner(ctx)
  const tenants = tenant ? [tenant] : await listTenantNames(ctx.database)
  for (const one of tenants) {
    yield* checkFiles(ctx, one)
    yield* checkBlobs(ctx, one)
    yield* checkUploads(ctx, one)
    yield* checkUsage(ctx, one)
    yield* checkJournal(ctx, one)
    if (!skipsBucket) yield* checkBytes(ctx, one)
  }
  if (!tenant && !skipsBucket) yield* findStrays(ctx)
}

/** Checks that this database owns the bucket. Changes nothing. */
async function* checkBucketOwner(ctx: IntegrityContext): AsyncGenerator<Finding> {
  const { id } = await readInstallation(ctx.database)
  try {
    const { doubt, newest } = await judgeBucket(ctx)
    if (doubt !== null) yield violation('BUCKET', null, { type: 'bucket', id }, doubt.sentence)
    else if (newest === null) yield information('BUCKET', null, { type: 'bucket', id }, 'The bucket is not marked yet.')
  } catch (error) {
    // A marker that cannot be read or parsed.
    if (!(error instanceof RunEnded)) throw error
    yield violation('BUCKET', null, { type: 'bucket', id }, error.message)
  }
}

/** Finds objects that belong to no tenant of this database. One finding per prefix. */
async function* findStrays({ database, blobs, now, cleanup }: IntegrityContext): AsyncGenerator<Finding> {
  const ctx = { database, blobs, now, settings: cleanup }
  const walk = { position: null, mostListings: Infinity }
  for await (const { prefix, tenant, exampleKey } of walkStrays(ctx, walk)) {
    const example = `such as ${exampleKey}`
    if (tenant === null) {
      const message = `"${prefix}" is not of Filegraph, ${example}. Nothing deletes it.`
      // Another application can share the bucket, but must not use `org/`.
      const tell = prefix.startsWith('org/') ? violation : information
      yield tell('ORPHAN', null, { type: 'object', id: exampleKey }, message)
      continue
    }
    const since = await readFirstSeen(database, prefix)
    const watched = since === null ? '' : `, since ${since.toISOString()}`
    const message = `Under "${prefix}" lie objects of no tenant, ${example}${watched}. See: sweep strays --dry-run`
    yield violation('ORPHAN', null, { type: 'object', id: exampleKey }, message)
  }
}
