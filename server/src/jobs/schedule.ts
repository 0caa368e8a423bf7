import type { Logger } from 'pino'
import { type Context, systemPrincipal } from '../domain/context.ts'
import { forgetSessions } from '../domain/identity/authenticate/session.ts'
import { advanceMarker } from '../domain/installation/bucketMarker.ts'
import type { CleanupKind, Outcome, SweepContext } from '../domain/sweeps/runs/recordRun.ts'
import type { CleanupSettings } from '../domain/sweeps/runs/settings.ts'
import { recordStrayRun, usualStrayRun } from '../domain/sweeps/strays/recordStrayRun.ts'
import { listTenantNames } from '../domain/tenants/findTenant.ts'
import { runIfDue, runQueued } from './sweeps.ts'

/** What a job works with. */
export type JobContext = Pick<Context, 'database' | 'blobs' | 'now'> & {
  readonly logger: Logger
  readonly cleanup: CleanupSettings
}

export interface Job {
  /** As the queue knows it: renaming one forgets when it ran last. */
  readonly name: string
  /** Minute, hour, day, month, weekday; in UTC. */
  readonly cadence: string
  /** `tenantId` where a change in one tenant asked for it. */
  readonly run: (ctx: JobContext, tenantId?: string) => Promise<void>
}

const sweep =
  (kind: CleanupKind): Job['run'] =>
  async (ctx, tenantId) => {
    const make = async (tenant: SweepContext) => tellOutcome(ctx, tenant, kind, await runIfDue(tenant, kind))
    await (tenantId === undefined ? inEveryTenant(ctx, make) : make(sweepIn(ctx, tenantId)))
  }

/** What a person has to look at is an error in the log; that something was deleted is worth a line. */
function tellOutcome({ logger }: JobContext, { principal }: SweepContext, kind: CleanupKind, outcome: Outcome | null) {
  if (!outcome) return
  const { examined, deleted, held, found } = outcome.tally
  const facts = { tenant: principal.tenantId, kind, examined, deleted, held, found }
  const isDamaged = ['missing', 'different', 'unproven', 'encoded'].some((what) => what in found)
  const isAlarming = outcome.ended !== null || isDamaged || 'IDENTITY' in held
  if (isAlarming) logger.error(facts, outcome.ended ?? 'The bucket does not hold what was committed')
  else if (deleted > 0) logger.info(facts, 'A sweep has deleted something')
}

const requested: Job['run'] = async (ctx, tenantId) => {
  const make = (tenant: SweepContext) => runQueued(tenant, (kind, outcome) => tellOutcome(ctx, tenant, kind, outcome))
  await (tenantId === undefined ? inEveryTenant(ctx, make) : make(sweepIn(ctx, tenantId)))
}

/** Only operators hear of these: the objects belong to no tenant, or to one that this database does not know. */
async function searchStrays({ database, blobs, now, logger, cleanup }: JobContext): Promise<void> {
  const ctx = { database, blobs, now, settings: cleanup, actor: 'worker' }
  const { tally, ended, strays } = await recordStrayRun(ctx, usualStrayRun)
  const { examined, deleted, held, found } = tally
  const prefixes = strays.filter(({ tenant }) => tenant !== null).map(({ prefix }) => prefix)
  const facts = { examined, deleted, held, found, prefixes, remedy: 'filegraph sweep strays --dry-run' }
  if (ended !== null) logger.error(facts, ended)
  else if (prefixes.length > 0)
    logger.warn(facts, 'The bucket holds objects of tenants that this database does not have')
}

/**
 * Everything that happens without being asked for. The queue starts each once, however many workers there are. A run that
 * takes longer than its cadence, or whose process died, does not hold up the next: each has to bear another beside it.
 */
export const schedule: readonly Job[] = [
  { name: 'expire_uploads', cadence: '* * * * *', run: sweep('EXPIRE_UPLOADS') },
  { name: 'run_cleanup', cadence: '* * * * *', run: requested },
  { name: 'mark_bucket', cadence: '* * * * *', run: advanceMarker },
  { name: 'delete_blobs', cadence: '* * * * *', run: sweep('DELETE_BLOBS') },
  { name: 'purge_files', cadence: '*/10 * * * *', run: sweep('PURGE_FILES') },
  { name: 'forget_sessions', cadence: '17 * * * *', run: forgetSessions },
  { name: 'verify_sample', cadence: '41 * * * *', run: sweep('VERIFY') },
  { name: 'reconcile', cadence: '23 2 * * *', run: sweep('RECONCILE') },
  { name: 'search_strays', cadence: '11 3 * * *', run: searchStrays },
  { name: 'abort_uploads', cadence: '53 3 * * *', run: sweep('ABORT_UPLOADS') },
]

const noOrigin = { requestId: null, address: null, userAgent: null }

/** What a sweep of one tenant works with: it acts as Filegraph itself. */
const sweepIn = ({ database, blobs, now, cleanup }: JobContext, tenantId: string): SweepContext => ({
  principal: systemPrincipal(tenantId),
  origin: noOrigin,
  settings: cleanup,
  database,
  blobs,
  now,
})

/** Works in one tenant after the other. One tenant's failure does not stop the rest; the job fails with all of them. */
async function inEveryTenant(job: JobContext, work: (ctx: SweepContext) => Promise<unknown>) {
  const failures: unknown[] = []
  for (const { id } of await listTenantNames(job.database)) {
    try {
      await work(sweepIn(job, id))
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `It failed in ${failures.length} tenants`)
}
