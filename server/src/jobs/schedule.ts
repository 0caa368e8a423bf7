import type { Logger } from 'pino'
import { type Context, systemPrincipal } from '../domain/context.ts'
import { forgetSessions } from '../domain/identity/authenticate/session.ts'
import { advanceMarker, isSettling } from '../domain/installation/bucketMarker.ts'
import { limits } from '../domain/limits.ts'
import { listTenantsWithStaleUploads } from '../domain/sweeps/expire/abortStaleUploads.ts'
import { listDueTenants } from '../domain/sweeps/runs/dueTenants.ts'
import type { CleanupKind, Outcome, SweepContext } from '../domain/sweeps/runs/recordRun.ts'
import type { CleanupSettings } from '../domain/sweeps/runs/settings.ts'
import { listUnscheduled, scheduleTenant } from '../domain/sweeps/runs/sweepSchedule.ts'
import { recordStrayRun, usualStrayRun } from '../domain/sweeps/strays/recordStrayRun.ts'
import { doubtfulBefore } from '../domain/sweeps/verify/verifyBlobs.ts'
import { runIfDue, runQueued } from './sweeps.ts'

/** What a job works with. */
export type JobContext = Pick<Context, 'database' | 'blobs' | 'now'> & {
  readonly logger: Logger
  readonly cleanup: CleanupSettings
  /** True once the worker has to stop. */
  readonly isStopping?: () => boolean
  /** Queues one job for each tenant. A job that already waits is not queued a second time. */
  readonly enqueue: (job: TenantJobName, tenantIds: readonly string[]) => Promise<void>
  /** Called after each run of a sweep in a tenant that did not fail. */
  readonly onRun?: (kind: CleanupKind, outcome: Outcome) => void
}

/** The lanes of a worker process. Each runs its own jobs, so that long work never delays short work. */
export const lanes = {
  /** Jobs of each minute that serve all tenants. The deletes of a tenant must not delay them. */
  MINUTE: { concurrency: 2 },
  /** Jobs in one tenant that take seconds, or as long as the bucket takes to delete what was released. */
  SHORT: { concurrency: 2 },
  /** Requested runs, which a person waits for. */
  REQUESTED: { concurrency: 1 },
  /** Jobs that take minutes. A worker lists, reads and hashes one tenant at a time. */
  LONG: { concurrency: 1 },
} as const

export interface Job {
  /** As the queue knows it: renaming one forgets when it ran last. */
  readonly name: string
  readonly lane: keyof typeof lanes
  /** Minute, hour, day, month and weekday, in UTC. Null: the job runs only when it is queued for a tenant. */
  readonly cadence: string | null
  /** `tenantId` is given if the job was queued for a tenant. */
  readonly run: (ctx: JobContext, tenantId?: string) => Promise<void>
}

const inTenant =
  (work: (ctx: JobContext, tenant: SweepContext) => Promise<unknown>): Job['run'] =>
  async (ctx, tenantId) => {
    if (tenantId !== undefined) await work(ctx, sweepIn(ctx, tenantId))
  }

const sweep = (kind: CleanupKind): Job['run'] =>
  inTenant(async (ctx, tenant) => tellOutcome(ctx, tenant, kind, await runIfDue(tenant, kind)))

/** What a person has to look at is an error in the log; that something was deleted is worth a line. */
function tellOutcome(
  { logger, onRun }: JobContext,
  { principal }: SweepContext,
  kind: CleanupKind,
  outcome: Outcome | null,
) {
  if (!outcome) return
  onRun?.(kind, outcome)
  const { examined, deleted, held, found } = outcome.tally
  const facts = { tenant: principal.tenantId, kind, examined, deleted, held, found }
  const isDamaged = ['missing', 'different', 'unproven', 'encoded'].some((what) => what in found)
  const isAlarming = outcome.ended !== null || isDamaged || 'IDENTITY' in held
  if (isAlarming) logger.error(facts, outcome.ended ?? 'The bucket does not hold what was committed')
  else if (deleted > 0) logger.info(facts, 'A sweep has deleted something')
}

const requested = inTenant((ctx, tenant) =>
  runQueued(tenant, (kind, outcome) => tellOutcome(ctx, tenant, kind, outcome)),
)

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
 * Lists the tenants in which something is due and queues a job for each. A minute in which nothing is due costs the same with any
 * number of tenants, and all workers share the jobs.
 */
async function findDue(ctx: JobContext): Promise<void> {
  const asking = { ...ctx, settings: ctx.cleanup }
  const { byKind, runs } = await listDueTenants(asking, doubtfulBefore(asking))
  await ctx.enqueue('run_cleanup', runs)
  await ctx.enqueue('expire_uploads', byKind.EXPIRE_UPLOADS)
  // A run that must not delete yet would be recorded as refused every minute.
  const mayDelete = byKind.DELETE_BLOBS.length > 0 && !(await isSettling(asking))
  await ctx.enqueue('delete_blobs', mayDelete ? byKind.DELETE_BLOBS : [])
  await ctx.enqueue('purge_files', byKind.PURGE_FILES)
  await ctx.enqueue('verify_sample', byKind.VERIFY)
  await ctx.enqueue('reconcile', byKind.RECONCILE)
  await ctx.enqueue('schedule_tenant', await listUnscheduled(ctx.database, limits.dueTenantsPerMinute))
}

async function findStaleUploads(ctx: JobContext): Promise<void> {
  await ctx.enqueue('abort_uploads', await listTenantsWithStaleUploads(ctx))
}

/** The jobs that `findDue`, `findStaleUploads` or a change queue for a tenant. */
const tenantJobs = {
  expire_uploads: { lane: 'SHORT', run: sweep('EXPIRE_UPLOADS') },
  delete_blobs: { lane: 'SHORT', run: sweep('DELETE_BLOBS') },
  purge_files: { lane: 'SHORT', run: sweep('PURGE_FILES') },
  schedule_tenant: { lane: 'SHORT', run: inTenant((_ctx, tenant) => scheduleTenant(tenant)) },
  run_cleanup: { lane: 'REQUESTED', run: requested },
  verify_sample: { lane: 'LONG', run: sweep('VERIFY') },
  reconcile: { lane: 'LONG', run: sweep('RECONCILE') },
  abort_uploads: { lane: 'LONG', run: sweep('ABORT_UPLOADS') },
} as const satisfies Record<string, Pick<Job, 'lane' | 'run'>>

export type TenantJobName = keyof typeof tenantJobs

/**
 * Everything that happens without being asked for. The queue starts each once, however many workers there are. A run that
 * takes longer than its cadence, or whose process died, does not delay the next: each job tolerates a second one beside it.
 */
export const schedule: readonly Job[] = [
  { name: 'find_due', lane: 'MINUTE', cadence: '* * * * *', run: findDue },
  { name: 'mark_bucket', lane: 'MINUTE', cadence: '* * * * *', run: advanceMarker },
  { name: 'forget_sessions', lane: 'SHORT', cadence: '17 * * * *', run: forgetSessions },
  { name: 'search_strays', lane: 'LONG', cadence: '11 3 * * *', run: searchStrays },
  { name: 'find_stale_uploads', lane: 'LONG', cadence: '53 3 * * *', run: findStaleUploads },
  ...Object.entries(tenantJobs).map(([name, job]) => ({ name, cadence: null, ...job })),
]

const noOrigin = { requestId: null, address: null, userAgent: null }

/** What a sweep of one tenant works with: it acts as Filegraph itself. */
const sweepIn = ({ database, blobs, now, cleanup, isStopping }: JobContext, tenantId: string): SweepContext => ({
  principal: systemPrincipal(tenantId),
  origin: noOrigin,
  settings: cleanup,
  turnMs: cleanup.listedForMs,
  ...(isStopping && { isStopping }),
  database,
  blobs,
  now,
})
