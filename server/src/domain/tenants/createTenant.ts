import type { InferSelectModel } from 'drizzle-orm'
import { tenants, tenantSlugs, tenantUsage } from '../../database/tables.ts'
import { recordChange } from '../audit/recordChange.ts'
import type { Context } from '../context.ts'
import { acceptName } from '../identity/personalText.ts'
import { systemPrincipal } from '../identity/systemPrincipal.ts'
import { newId } from '../newId.ts'
import { Conflict, Invalid } from '../refusals.ts'
import { isSlug } from './tenantSlug.ts'

export type Tenant = InferSelectModel<typeof tenants>
export type TenantPolicy = Omit<Tenant, 'id' | 'slug' | 'name' | 'createdAt'>

const tenantNameMaxLength = 100

export const defaultPolicy: TenantPolicy = {
  /** 5 GiB: the most that S3 takes in a single PUT. */
  maxFileBytes: 5 * 1024 ** 3,
  allowedContentTypes: null,
  trashDays: 30,
  intentLifetimeSeconds: 86_400,
  downloadMaxSeconds: 86_400,
  quotaBytes: null,
}

export interface NewTenant {
  readonly slug: string
  readonly name: string
  readonly policy?: Partial<TenantPolicy>
}

/** Rejects with `Invalid`, or with `Conflict` when the slug is taken. */
export async function createTenant(services: Pick<Context, 'database' | 'now'>, wanted: NewTenant): Promise<Tenant> {
  const { slug } = wanted
  if (!isSlug(slug)) throw new Invalid('slug', 'A slug has 2 to 40 lower-case letters, digits and hyphens.')
  const name = acceptName('name', wanted.name, tenantNameMaxLength)
  const policy = acceptPolicy({ ...defaultPolicy, ...wanted.policy })
  const now = services.now()
  const tenant: Tenant = { id: newId(now), slug, name, createdAt: now, ...policy }
  const { id: tenantId } = tenant
  await services.database.write(tenantId, async (tx) => {
    const taken = await tx.db
      .insert(tenantSlugs)
      .values({ slug, tenant: tenantId })
      .onConflictDoNothing({ target: tenantSlugs.slug })
      .returning({ slug: tenantSlugs.slug })
    if (taken.length === 0) throw new Conflict('There is a tenant with this slug already.')
    await tx.db.insert(tenants).values(tenant)
    const nothing = { fileCount: 0, trashedCount: 0, versionCount: 0, storedBytes: 0, reservedBytes: 0 }
    await tx.db.insert(tenantUsage).values({ tenantId, ...nothing })
    const by = {
      principal: systemPrincipal(tenantId),
      origin: { requestId: null, address: null, userAgent: null },
      now: services.now,
    }
    await recordChange(tx, by, 'tenant.created', { id: tenantId, name, payload: { slug } })
  })
  return tenant
}

function acceptPolicy(policy: TenantPolicy): TenantPolicy {
  const { maxFileBytes, trashDays, intentLifetimeSeconds, downloadMaxSeconds, quotaBytes } = policy
  const counts = { maxFileBytes, trashDays, intentLifetimeSeconds, downloadMaxSeconds, quotaBytes: quotaBytes ?? 0 }
  for (const [field, value] of Object.entries(counts)) {
    const isCount = Number.isSafeInteger(value) && value >= 0
    if (!isCount) throw new Invalid(field, 'This has to be a whole number that is not negative.')
  }
  return policy
}
