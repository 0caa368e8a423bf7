import { and, asc, desc, eq, isNotNull, ne, sql } from 'drizzle-orm'
import { isState } from '../../../database/conditions.ts'
import { orphanObjects, strayPrefixes, strayRuns } from '../../../database/tables/cleanupTables.ts'
import type { TenantDatabase } from '../../../database/tenantDatabase.ts'
import { writeUnattended } from '../../change.ts'
import { findTenantById } from '../../tenants/findTenant.ts'
import type { Run, SweepContext } from '../runs/recordRun.ts'
import type { StrayPrefix } from './walkStrays.ts'

/** The inputs of a search for strays. It has no principal, because it acts in no tenant. */
export type StrayContext = Pick<SweepContext, 'database' | 'blobs' | 'now' | 'settings'> & {
  /** `worker`, or the login and machine of a person. */
  readonly actor: string
}

/** A prefix that a run found. The counts are null if the objects are not Filegraph's to count. */
export interface Stray extends StrayPrefix {
  readonly objectCount: number | null
  readonly byteSize: number | null
}

/** The options of a run besides the usual ones. */
export interface StrayRun extends Run {
  /** Examine only the prefix of this tenant. Null: the whole bucket. */
  readonly tenant: string | null
  /** The first hundred prefixes that were found. */
  readonly strays: Stray[]
}

/** Records a prefix, and when it was first seen. */
export async function keepStray({ database, now }: StrayContext, run: StrayRun, stray: Stray): Promise<void> {
  const { prefix, tenant, exampleKey, objectCount, byteSize } = stray
  const seen = { exampleKey, objectCount, byteSize, lastSeenAt: now(), seenByRun: run.id }
  const kind = tenant === null ? ('OTHER' as const) : ('TENANT' as const)
  await database.lookUp((db) =>
    db
      .insert(strayPrefixes)
      .values({ prefix, kind, tenant, firstSeenAt: now(), ...seen })
      .onConflictDoUpdate({ target: strayPrefixes.prefix, set: seen }),
  )
}

/** Forgets prefixes that a run over the whole bucket no longer found, and the watch over their objects. */
export async function forgetStrays({ database }: StrayContext, run: StrayRun): Promise<void> {
  const gone = await database.lookUp((db) =>
    db.delete(strayPrefixes).where(ne(strayPrefixes.seenByRun, run.id)).returning({ tenant: strayPrefixes.tenant }),
  )
  for (const { tenant } of gone) {
    // If a tenant has come back, its own reconcile watches its orphans.
    if (tenant === null || (await findTenantById(database, tenant)) !== null) continue
    await writeUnattended(database, tenant, (tx) => tx.db.delete(orphanObjects).where(tx.inTenant(orphanObjects)))
  }
}

/** Where the last run reached its limit. Null: the next run starts with the first key. */
export async function readPosition({ database }: StrayContext): Promise<string | null> {
  const [last] = await database.lookUp((db) =>
    db
      .select({ state: strayRuns.state, position: strayRuns.position })
      .from(strayRuns)
      .where(and(eq(strayRuns.isDryRun, false), isNotNull(strayRuns.finishedAt)))
      .orderBy(desc(strayRuns.startedAt), desc(strayRuns.id))
      .limit(1),
  )
  return last?.state === 'DONE' || last?.state === 'STOPPED' ? last.position : null
}

export type KnownStray = typeof strayPrefixes.$inferSelect

/** A summary of known strays: counts per kind, the oldest one, and when the last run ended. */
export async function readStrays(database: TenantDatabase) {
  return database.lookUp(async (db) => {
    const sums = await db
      .select({
        kind: strayPrefixes.kind,
        prefixes: sql`count(*)`.mapWith(Number),
        objectCount: sql`coalesce(sum(${strayPrefixes.objectCount}), 0)`.mapWith(Number),
        byteSize: sql`coalesce(sum(${strayPrefixes.byteSize}), 0)`.mapWith(Number),
      })
      .from(strayPrefixes)
      .groupBy(strayPrefixes.kind)
    const [oldest] = await db
      .select()
      .from(strayPrefixes)
      .where(eq(strayPrefixes.kind, 'TENANT'))
      .orderBy(asc(strayPrefixes.firstSeenAt))
      .limit(1)
    const [last] = await db
      .select({ finishedAt: strayRuns.finishedAt, state: strayRuns.state, message: strayRuns.message })
      .from(strayRuns)
      .where(and(eq(strayRuns.isDryRun, false), isNotNull(strayRuns.finishedAt), isState(strayRuns.state, 'DONE')))
      .orderBy(desc(strayRuns.startedAt), desc(strayRuns.id))
      .limit(1)
    const sumOf = (kind: KnownStray['kind']) => sums.find((sum) => sum.kind === kind) ?? null
    return {
      ofTenants: sumOf('TENANT'),
      others: sumOf('OTHER'),
      oldest: oldest ?? null,
      lastRunAt: last?.finishedAt ?? null,
    }
  })
}

/** When this prefix was first seen. */
export async function readFirstSeen(database: TenantDatabase, prefix: string): Promise<Date | null> {
  const [known] = await database.lookUp((db) =>
    db.select({ at: strayPrefixes.firstSeenAt }).from(strayPrefixes).where(eq(strayPrefixes.prefix, prefix)),
  )
  return known?.at ?? null
}
