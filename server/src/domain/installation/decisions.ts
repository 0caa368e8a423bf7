import { eq } from 'drizzle-orm'
import { installationLog } from '../../database/tables/cleanupTables.ts'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'
import { limits } from '../limits.ts'

/** The time in which this database worked although it may have been put back, ended by a person's decision. */
export interface DoubtfulTime {
  readonly since: Date
  readonly until: Date
}

/** Every such time, one a decision. */
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
 * Whether an upload was announced before a person decided, and ended after this database had come into doubt. The database
 * that it was copied from, or that it was itself before it was put back, may have committed the upload as a file meanwhile.
 */
export const wasReleasedInDoubt = ({ createdAt, deletingSince }: Released, times: readonly DoubtfulTime[]): boolean =>
  times.some(
    ({ since, until }) =>
      createdAt.getTime() <= until.getTime() + skewMs &&
      deletingSince !== null &&
      deletingSince.getTime() >= since.getTime() - skewMs,
  )
