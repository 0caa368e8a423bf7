import { asc } from 'drizzle-orm'
import { tenantSlugs } from '../../database/tables/identityTables.ts'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'
import type { TenantName } from './findTenant.ts'

/** Every tenant, by slug, in one statement: for jobs that then work in one tenant after the other. */
export const listTenantNames = (database: TenantDatabase): Promise<TenantName[]> =>
  database.lookUp((db) =>
    db.select({ id: tenantSlugs.tenant, slug: tenantSlugs.slug }).from(tenantSlugs).orderBy(asc(tenantSlugs.slug)),
  )
