import { hostname } from 'node:os'
import { type Context, systemPrincipal } from '../domain/context.ts'
import { findTenantBySlug } from '../domain/tenants/findTenant.ts'
import { CommandFailed, type Terminal } from './terminal.ts'

/**
 * The operator acts in a tenant as the system principal. Access to the machine allows everything that an OWNER may do.
 */
export async function operatorIn(
  backends: Pick<Context, 'database' | 'blobs' | 'now'>,
  slug: string,
): Promise<Context> {
  const tenant = await findTenantBySlug(backends.database, slug)
  if (!tenant) throw new CommandFailed(`There is no tenant "${slug}". The command "tenant list" shows those there are.`)
  const { database, blobs, now } = backends
  const origin = { requestId: null, address: null, userAgent: 'Filegraph command line' }
  return { principal: systemPrincipal(tenant.id), origin, database, blobs, now }
}

/** The person who decides about the whole installation. No audit log of a tenant records it. */
export const actorAt = ({ env }: Terminal): string => `${env['USER'] ?? env['LOGNAME'] ?? 'operator'}@${hostname()}`
