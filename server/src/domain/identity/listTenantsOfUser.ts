import { asc, eq } from 'drizzle-orm'
import { tenantSlugs, userTenants } from '../../database/tables/identityTables.ts'
import type { Context } from '../context.ts'

/** The tenants that a user can choose from, by slug. */
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
