import { type InferSelectModel, asc, eq } from 'drizzle-orm'
import { type PolicyCeiling, tenants, tenantSlugs, tenantUsage } from '../../database/tables/identityTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { change, type Changed } from '../change.ts'
import { type Context, systemPrincipal } from '../context.ts'
import { newId } from '../ids.ts'
import { typePrefix } from '../mediaTypes/typePattern.ts'
import { Conflict, Invalid } from '../refusals.ts'
import { acceptName } from '../text.ts'
import { isSlug } from './findTenant.ts'

export type Tenant = InferSelectModel<typeof tenants>
export type TenantPolicy = Omit<Tenant, 'id' | 'slug' | 'name' | 'createdAt' | 'policyCeiling'>

export const tenantNameMaxLength = 100

export const defaultPolicy: TenantPolicy = {
  /** 5 GiB: the maximum of a single S3 PUT. */
  maxFileBytes: 5 * 1024 ** 3,
  allowedContentTypes: null,
  trashDays: 30,
  intentLifetimeSeconds: 86_400,
  downloadMaxSeconds: 86_400,
  quotaBytes: null,
}

interface NewTenant {
  readonly slug: string
  readonly name: string
  readonly policy?: Partial<TenantPolicy>
}

/** Rejects with `Invalid`, or with `Conflict` if the slug is taken. */
export async function createTenant(services: Pick<Context, 'database' | 'now'>, wanted: NewTenant): Promise<Tenant> {
  const { slug } = wanted
  if (!isSlug(slug)) throw new Invalid('slug', 'A slug has 2 to 40 lower-case letters, digits and hyphens.')
  const name = acceptName('name', wanted.name, tenantNameMaxLength)
  const chosen = withStoredTypes(wanted.policy ?? {})
  const policy = acceptPolicy({ ...defaultPolicy, ...chosen })
  const now = services.now()
  const policyCeiling = ceilingOf(chosen)
  const tenant: Tenant = { id: newId(now), slug, name, createdAt: now, ...policy, policyCeiling }
  const { id: tenantId } = tenant
  const by = {
    principal: systemPrincipal(tenantId),
    origin: { requestId: null, address: null, userAgent: null },
    database: services.database,
    now: services.now,
  }
  const insertTenant = (tx: Transaction) => tx.db.insert(tenants).values(tenant)
  const work = async (tx: Transaction): Promise<Changed<Tenant>> => {
    const taken = await tx.db
      .insert(tenantSlugs)
      .values({ slug, tenant: tenantId })
      .onConflictDoNothing({ target: tenantSlugs.slug })
      .returning({ slug: tenantSlugs.slug })
    if (taken.length === 0) throw new Conflict('NAME_TAKEN', 'There is a tenant with this slug already.')
    const nothing = { fileCount: 0, trashedCount: 0, versionCount: 0, storedBytes: 0, reservedBytes: 0 }
    await tx.db.insert(tenantUsage).values({ tenantId, ...nothing })
    return { answer: tenant, records: [{ action: 'tenant.created', id: tenantId, name, payload: { slug } }] }
  }
  return change(by, work, insertTenant)
}

/** The range of each policy value. SigV4 limits the lifetime of a URL. The other limits are chosen. */
export const policyBounds = {
  maxFileBytes: [0, Number.MAX_SAFE_INTEGER],
  trashDays: [0, 36_500],
  intentLifetimeSeconds: [1, 31_536_000],
  downloadMaxSeconds: [1, 604_800],
  quotaBytes: [0, Number.MAX_SAFE_INTEGER],
} as const

/** The policy fields that an OWNER may change, within the operator's limits. Only the operator sets the quota. */
export const ownerFields = [
  'maxFileBytes',
  'allowedContentTypes',
  'trashDays',
  'intentLifetimeSeconds',
  'downloadMaxSeconds',
] as const satisfies readonly (keyof TenantPolicy)[]

/** The values that the operator chose explicitly. Defaults are not limits. */
export function ceilingOf(chosen: Partial<TenantPolicy>): PolicyCeiling {
  const set = ownerFields.filter((field) => chosen[field] !== undefined && chosen[field] !== null)
  return Object.fromEntries(set.map((field) => [field, chosen[field]]))
}

/**
 * The policy with its media types in their stored form. Throws `Invalid` for a text that is neither a type nor a kind.
 */
export function withStoredTypes<Given extends Partial<TenantPolicy>>(policy: Given): Given {
  const { allowedContentTypes: types } = policy
  if (!types) return policy
  return { ...policy, allowedContentTypes: [...new Set(types.map(storedTypeOrKind))] }
}

function storedTypeOrKind(text: string, at: number): string {
  const stored = typePrefix(text)
  if (stored?.includes('/')) return stored
  throw new Invalid(
    ['allowedContentTypes', String(at)],
    `"${text}" is neither a type such as image/png nor a kind such as image/`,
  )
}

/** Throws `Invalid` if a value is out of range. */
export function acceptPolicy(policy: TenantPolicy): TenantPolicy {
  for (const [field, [least, most]] of Object.entries(policyBounds)) {
    const value = policy[field as keyof typeof policyBounds]
    if (value === null) continue
    const isWithin = Number.isSafeInteger(value) && value >= least && value <= most
    const bound = value > most ? most : value < least ? least : null
    if (!isWithin) throw new Invalid(field, `${field} must be a whole number between ${least} and ${most}.`, bound)
  }
  return policy
}

/**
 * All tenants, by slug, for the operator. Each is read in its own transaction, because a transaction sees one tenant.
 */
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
