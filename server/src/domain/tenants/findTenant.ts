import { type SQL, asc, eq } from 'drizzle-orm'
import { isAnyOf } from '../../database/conditions.ts'
import { tenantSlugs, tenants } from '../../database/tables/identityTables.ts'
import type { TenantDatabase, Transaction } from '../../database/tenantDatabase.ts'
import { isId } from '../ids.ts'

/** 2 to 40 lower-case letters, digits and hyphens, but not a UUID: a token can name its tenant by slug or by id. */
export const isSlug = (text: string): boolean => /^[a-z0-9-]{2,40}$/.test(text) && !isId(text)

export interface TenantName {
  readonly id: string
  readonly slug: string
}

/** Null if no tenant has this slug. */
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

/** All tenants, by slug, in one statement. For jobs that work in one tenant after the other. */
export const listTenantNames = (database: TenantDatabase): Promise<TenantName[]> =>
  database.lookUp((db) =>
    db.select({ id: tenantSlugs.tenant, slug: tenantSlugs.slug }).from(tenantSlugs).orderBy(asc(tenantSlugs.slug)),
  )

/** Which of these tenants this database has. */
export async function findKnownTenants(database: TenantDatabase, ids: readonly string[]): Promise<ReadonlySet<string>> {
  const distinct = [...new Set(ids)]
  if (distinct.length === 0) return new Set()
  const rows = await database.lookUp((db) =>
    db.select({ id: tenantSlugs.tenant }).from(tenantSlugs).where(isAnyOf(tenantSlugs.tenant, distinct)),
  )
  return new Set(rows.map(({ id }) => id))
}

export type Tenant = typeof tenants.$inferSelect

/** The tenant of the transaction, with its policy. */
export async function readTenant(tx: Transaction): Promise<Tenant> {
  const [tenant] = await tx.db.select().from(tenants).where(eq(tenants.id, tx.tenantId))
  if (!tenant) throw new Error(`Tenant ${tx.tenantId} has no row`)
  return tenant
}
