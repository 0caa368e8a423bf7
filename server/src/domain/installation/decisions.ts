import { eq } from 'drizzle-orm'
import { installationLog } from '../../database/tables/cleanupTables.ts'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'
import { limits } from '../limits.ts'

/** A period in which this database worked although it may have been restored. A person's decision ended it. */
export interface DoubtfulTime {
  readonly since: Date
  readonly until: Date
}

/** All such periods, one per decision. */
export async function readDoubtfulTimes(database: TenantDatabase): Promise<DoubtfulTime[]> {
  const decisions = await database.lookUp((db) =>
    db
      .select({ at: installationLog.at, payload: installationLog.payload })
      .from(installationLog)
      .where(eq(installationLog.action, 'BUCKET_ACCEPTED')),
  )
  return decisions.flatMap(({ at, payload: { doubtedSince } }) =>
    typeof doubtedSince === 'string' ? [{ since: new Date(doubtedSince), until: at }] : [],
  )
}

interface Released {
  readonly createdAt: Date
  readonly deletingSince: Date | null
}

const skewMs = limits.clockSkewSeconds * 1_000

/**
 * True if an upload was created before a person's decision and ended after the doubt began. The original database, or
 * this one before it was restored, may have committed the upload as a file.
 */
export const wasReleasedInDoubt = ({ createdAt, deletingSince }: Released, times: readonly DoubtfulTime[]): boolean =>
  times.some(
    ({ since, until }) =>
      createdAt.getTime() <= until.getTime() + skewMs &&
      deletingSince !== null &&
      deletingSince.getTime() >= since.getTime() - skewMs,
  )
