import type { Context } from '../context.ts'
import { Invalid } from '../refusals.ts'
import { findTenantBySlug } from '../tenants/findTenant.ts'
import { addMember, type NewMember } from './addMember.ts'
import { systemPrincipal } from './systemPrincipal.ts'

/** What the operator does who stands at the machine: makes a member of any tenant. Rejects like `addMember`. */
export async function createUser(
  services: Pick<Context, 'database' | 'now'>,
  wanted: NewMember & { readonly tenantSlug: string },
): Promise<{ userId: string; isNewUser: boolean }> {
  const tenant = await findTenantBySlug(services.database, wanted.tenantSlug)
  if (!tenant) throw new Invalid('tenantSlug', 'There is no such tenant.')
  const origin = { requestId: null, address: null, userAgent: null }
  const { database, now } = services
  return addMember({ principal: systemPrincipal(tenant.id), origin, database, now }, wanted)
}
