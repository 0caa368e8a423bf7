import { type SQL, sql } from 'drizzle-orm'
import { earliest } from '../../clocks.ts'
import { type Context, systemId } from '../../context.ts'
import { limits } from '../../limits.ts'
import type { CleanupKind } from './recordRun.ts'
import type { CleanupSettings } from './settings.ts'

type Asking = Pick<Context, 'database' | 'now'> & { readonly settings: CleanupSettings }

/** Tenants with work. A hint: each tenant is looked at again in its own transaction. */
export interface DueTenants {
  readonly byKind: Readonly<Record<Exclude<CleanupKind, 'ABORT_UPLOADS'>, readonly string[]>>
  /** Tenants with requested runs, or with runs that lost their worker. */
  readonly runs: readonly string[]
}

/**
 * Lists the tenants in which something is due, by one question a kind, in one transaction that only reads. Doubtful bytes are due
 * if they were verified before `doubtfulBefore`.
 */
export function listDueTenants(ctx: Asking, doubtfulBefore: Date): Promise<DueTenants> {
  const { database, now, settings } = ctx
  const { silentMs, purgeGraceMs } = settings
  const most = limits.dueTenantsPerMinute
  const moment = (at: Date) => sql`${at.toISOString()}::timestamptz`
  return database.lookUp(async (db) => {
    const [clock] = await db.execute(sql`select now() as now`)
    const at = earliest(now(), new Date(String(clock?.['now'])))
    const cooled = new Date(at.getTime() - purgeGraceMs)
    const asked = async (question: SQL): Promise<string[]> =>
      (await db.execute(sql`select tenant from ${question}`)).map(({ tenant }) => String(tenant))
    const scheduled = (kind: CleanupKind) =>
      asked(sql`due_by_schedule(${kind}::text, ${moment(at)}, ${silentMs}::integer, ${most}::integer)`)
    const doubtful = await asked(
      sql`due_verifications(${moment(at)}, ${moment(doubtfulBefore)}, ${silentMs}::integer, ${most}::integer)`,
    )
    return {
      byKind: {
        EXPIRE_UPLOADS: await asked(sql`due_uploads(${moment(at)}, ${silentMs}::integer, ${most}::integer)`),
        DELETE_BLOBS: await asked(
          sql`due_blobs(${moment(at)}, ${moment(cooled)}, ${silentMs}::integer, ${most}::integer)`,
        ),
        PURGE_FILES: await scheduled('PURGE_FILES'),
        VERIFY: [...new Set([...doubtful, ...(await scheduled('VERIFY'))])],
        RECONCILE: await scheduled('RECONCILE'),
      },
      runs: await asked(sql`due_runs(${systemId}::uuid, ${silentMs}::integer, ${most}::integer)`),
    }
  })
}
