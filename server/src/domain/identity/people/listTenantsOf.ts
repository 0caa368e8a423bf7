import { and, eq, asc } from 'drizzle-orm'
import { memberships, tenants, tenantSlugs, userTenants } from '../../../database/tables/identityTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import type { Context, Role } from '../../context.ts'

export interface TenantOfUser {
  readonly slug: string
  readonly name: string
  readonly role: Role
}

/**
 * The tenants that the caller can choose, by name. Each is read in its own transaction. People belong to few tenants.
 */
export async function listTenantsOf({ database, principal }: Context): Promise<TenantOfUser[]> {
  const ids =
    principal.kind === 'USER'
      ? (await listTenantsOfUser({ database }, principal.id)).map((tenant) => tenant.id)
      : [principal.tenantId]
  const found = await Promise.all(ids.map((id) => database.read(id, (tx) => readOne(tx, principal))))
  return found.filter((tenant) => tenant !== null).toSorted((one, other) => one.name.localeCompare(other.name))
}

async function readOne(tx: Transaction, principal: Context['principal']): Promise<TenantOfUser | null> {
  const [tenant] = await tx.db
    .select({ slug: tenants.slug, name: tenants.name })
    .from(tenants)
    .where(eq(tenants.id, tx.tenantId))
  if (!tenant) return null
  if (principal.kind !== 'USER') return { ...tenant, role: principal.role }
  const [membership] = await tx.db
    .select({ role: memberships.role })
    .from(memberships)
    .where(and(tx.inTenant(memberships), eq(memberships.userId, principal.id)))
  return membership ? { ...tenant, role: membership.role } : null
}

/** The tenants that a user can choose, by slug. */
export const listTenantsOfUser = (
  services: Pick<Context, 'database'>,
  userId: string,
): Promise<{ id: string; slug: string }[]> =>
  services.database.lookUp((db) =>
    db
      .select({ id: tenantSlugs.tenant, slug: tenantSlugs.slug })
      .from(userTenants)
      .innerJoin(tenantSlugs, eq(tenantSlugs.tenant, userTenants.tenant))
      .where(eq(userTenants.userId, userId))
      .orderBy(asc(tenantSlugs.slug)),
  )
