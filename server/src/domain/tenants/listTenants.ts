import { asc, eq } from 'drizzle-orm'
import { tenants, tenantSlugs } from '../../database/tables/identityTables.ts'
import type { Context } from '../context.ts'
import type { Tenant } from './createTenant.ts'

/** Every tenant, by slug, for the operator: one transaction each, since no transaction sees two. */
export async function listTenants(services: Pick<Context, 'database'>): Promise<Tenant[]> {
  const { database } = services
  const names = await database.lookUp((db) => db.select().from(tenantSlugs).orderBy(asc(tenantSlugs.slug)))
  const found: Tenant[] = []
  for (const { tenant } of names) {
    const [row] = await database.read(tenant, (tx) => tx.db.select().from(tenants).where(eq(tenants.id, tx.tenantId)))
    if (row) found.push(row)
  }
  return found
}
