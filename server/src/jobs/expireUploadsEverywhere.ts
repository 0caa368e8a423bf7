import { systemPrincipal } from '../domain/identity/systemPrincipal.ts'
import { listTenantNames } from '../domain/tenants/listTenantNames.ts'
import { expireUploads } from '../domain/uploads/expireUploads.ts'
import type { JobContext } from './schedule.ts'

const noOrigin = { requestId: null, address: null, userAgent: null }

/** Ends the upload intents whose time is over, in one tenant after the other. One tenant's failure does not stop the rest. */
export async function expireUploadsEverywhere({ database, now, logger }: JobContext): Promise<void> {
  const failures: unknown[] = []
  for (const { id, slug } of await listTenantNames(database)) {
    try {
      const ended = await expireUploads(database, { principal: systemPrincipal(id), origin: noOrigin, now })
      if (ended > 0) logger.info({ tenant: slug, ended }, 'Upload intents expired')
    } catch (error) {
      failures.push(error)
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} tenants still have expired intents`)
}
