import { eq, type SQL } from 'drizzle-orm'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'
import { tenantSlugs } from '../../database/tables/identityTables.ts'
import { isSlug } from './tenantSlug.ts'

export interface TenantName {
  readonly id: string
  readonly slug: string
}

/** Null for whatever is no slug of a tenant. */
export const findTenantBySlug = async (database: TenantDatabase, slug: string): Promise<TenantName | null> =>
  isSlug(slug) ? find(database, eq(tenantSlugs.slug, slug)) : null

/** `id` is a UUID. */
export const findTenantById = (database: TenantDatabase, id: string): Promise<TenantName | null> =>
  find(database, eq(tenantSlugs.tenant, id))

async function find(database: TenantDatabase, predicate: SQL): Promise<TenantName | null> {
  const [found] = await database.lookUp((db) =>
    db.select({ id: tenantSlugs.tenant, slug: tenantSlugs.slug }).from(tenantSlugs).where(predicate),
  )
  return found ?? null
}
