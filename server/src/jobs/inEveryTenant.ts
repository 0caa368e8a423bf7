import { systemPrincipal } from '../domain/identity/systemPrincipal.ts'
import type { SweepContext } from '../domain/cleanup/recordRun.ts'
import { listTenantNames } from '../domain/tenants/listTenantNames.ts'
import type { JobContext } from './schedule.ts'

const noOrigin = { requestId: null, address: null, userAgent: null }

/** What a sweep of one tenant works with: it acts as Filegraph itself. */
export const sweepIn = ({ database, blobs, now, cleanup }: JobContext, tenantId: string): SweepContext => ({
  principal: systemPrincipal(tenantId),
  origin: noOrigin,
  settings: cleanup,
  database,
  blobs,
  now,
})

/** Works in one tenant after the other. One tenant's failure does not stop the rest; the job fails with all of them. */
export async function inEveryTenant(job: JobContext, work: (ctx: SweepContext) => Promise<unknown>) {
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
