import { sql } from 'drizzle-orm'
import { uploads } from '../../database/tables/uploadTables.ts'
import type { TenantName } from '../tenants/findTenant.ts'
import { type Finding, type IntegrityContext, violation } from './finding.ts'
import { overdueAfter } from './overdueAfter.ts'
import { readInPages } from './readInPages.ts'

interface LateUpload {
  readonly id: string
  readonly name: string
  readonly expiresAt: string
}

/** Upload intents that nobody has ended although their time is long over, by the clock that is behind. */
export async function* checkUploads({ database, now }: IntegrityContext, tenant: TenantName): AsyncGenerator<Finding> {
  const lateSeconds = overdueAfter.pendingMs / 1_000
  const select = (after: string, limit: number) => sql`
    select u.id, u.declared_name as "name", u.expires_at as "expiresAt" from ${uploads} u
    where u.tenant_id = ${tenant.id} and u.id > ${after}::uuid and u.state = 'PENDING'
      and u.expires_at < least(${now().toISOString()}::timestamptz, clock_timestamp()) - ${lateSeconds}::float8 * interval '1 second'
    order by u.id limit ${limit}`
  for await (const { id, name, expiresAt } of readInPages<LateUpload>(database, tenant.id, select)) {
    const message = `The upload intent ${id} of "${name}" is pending although it expired at ${expiresAt}.`
    yield violation('OVERDUE', tenant, 'upload', id, message)
  }
}
