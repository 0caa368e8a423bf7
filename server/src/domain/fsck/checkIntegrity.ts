import { isId } from '../ids.ts'
import { judgeBucket } from '../installation/bucketMarker.ts'
import { readInstallation } from '../installation/installation.ts'
import { RunEnded } from '../sweeps/runs/recordRun.ts'
import { findTenantById, type TenantName, listTenantNames } from '../tenants/findTenant.ts'
import { checkBlobs, checkUploads } from './checkBlobs.ts'
import { checkBytes } from './checkBytes.ts'
import { checkFiles } from './checkFiles.ts'
import { checkJournal } from './checkJournal.ts'
import { checkUsage } from './checkUsage.ts'
import { type Finding, type IntegrityContext, information, violation } from './finding.ts'

export interface IntegrityOptions {
  /** Only this one; without it all of them, and what lies in the bucket under no tenant. */
  readonly tenant?: TenantName | undefined
  /** Looks at rows alone. */
  readonly skipsBucket?: boolean | undefined
}

/**
 * Every promise that the two stores keep to each other and to themselves, one finding for each that is broken. Streams:
 * memory does not grow with the number of rows, objects or findings. Changes nothing, and bears changes beside it: what a
 * statement compares is of one moment, and what the bucket contradicts is looked at again before it is told.
 *
 * Throws `BlobStoreUnavailable` or `DatabaseUnavailable` where an answer is missing: that is neither a finding nor none.
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
  if (!tenant && !skipsBucket) yield* findStrangers(ctx, (id) => findTenantById(ctx.database, id))
}

/** Whether this database owns the bucket: neither was put back, and no other database uses it. Changes nothing. */
async function* checkBucketOwner(ctx: IntegrityContext): AsyncGenerator<Finding> {
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

const lastCharacter = '\u{10FFFF}'

/** Prefixes of the bucket that belong to no tenant: one request for each prefix, however much lies under it. */
async function* findStrangers(
  { blobs }: IntegrityContext,
  findTenant: (id: string) => Promise<TenantName | null>,
): AsyncGenerator<Finding> {
  for (let startAfter: string | undefined; ;) {
    const { objects } = await blobs.list({ prefix: 'org/', maxKeys: 1, startAfter })
    const [first] = objects
    if (!first) return
    const [, owner = ''] = first.key.split('/')
    const prefix = `org/${owner}/`
    if (!isId(owner) || (await findTenant(owner)) === null) {
      const message = `Under "${prefix}" lie objects of no tenant, such as ${first.key}.`
      yield violation('ORPHAN', null, 'object', first.key, message)
    }
    startAfter = first.key.startsWith(prefix) ? `${prefix}${lastCharacter}` : first.key
  }
}
