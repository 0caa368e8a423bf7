import { eq, type SQL, asc } from 'drizzle-orm'
import { tenantSlugs } from '../../database/tables/identityTables.ts'
import type { TenantDatabase } from '../../database/tenantDatabase.ts'
import { isId } from '../ids.ts'

/** 2 to 40 lower-case letters, digits and hyphens. Nothing that reads as an id: tokens name their tenant by either. */
export const isSlug = (text: string): boolean => /^[a-z0-9-]{2,40}$/.test(text) && !isId(text)

export interface TenantName {
  readonly id: string
  readonly slug: string
}

/** Null for whatever is not a slug of a tenant. */
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

/** Every tenant, by slug, in one statement: for jobs that then work in one tenant after the other. */
export const listTenantNames = (database: TenantDatabase): Promise<TenantName[]> =>
  database.lookUp((db) =>
    db.select({ id: tenantSlugs.tenant, slug: tenantSlugs.slug }).from(tenantSlugs).orderBy(asc(tenantSlugs.slug)),
  )
