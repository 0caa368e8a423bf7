import { findTenantById, type TenantName } from '../tenants/findTenant.ts'
import { listTenantNames } from '../tenants/listTenantNames.ts'
import { checkBlobs } from './checkBlobs.ts'
import { checkBucketOwner } from './checkBucketOwner.ts'
import { checkBytes } from './checkBytes.ts'
import { checkFiles } from './checkFiles.ts'
import { checkJournal } from './checkJournal.ts'
import { checkUploads } from './checkUploads.ts'
import { checkUsage } from './checkUsage.ts'
import type { Finding, IntegrityContext } from './finding.ts'
import { findStrangers } from './findStrangers.ts'

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
