import { eq } from 'drizzle-orm'
import { type PolicyCeiling, tenants } from '../../database/tables/identityTables.ts'
import type { Transaction } from '../../database/tenantDatabase.ts'
import { change, unchanged } from '../change.ts'
import type { Context } from '../context.ts'
import { lookForCooledFiles } from '../lookSoon.ts'
import { isAllowedType } from '../mediaTypes/typePattern.ts'
import { Invalid } from '../refusals.ts'
import { acceptName } from '../text.ts'
import {
  acceptPolicy,
  ceilingOf,
  defaultPolicy,
  ownerFields,
  type Tenant,
  type TenantPolicy,
  tenantNameMaxLength,
  withStoredTypes,
} from './createTenant.ts'

type OwnerField = (typeof ownerFields)[number]

/** The fields that an OWNER may change. A missing field keeps its value. */
export type OwnerPolicy = Partial<Pick<TenantPolicy, OwnerField>>

export interface TenantUpdate {
  readonly name?: string
  /** The values become the upper limits for an OWNER. */
  readonly policy?: Partial<TenantPolicy>
  /** Fields that return to their default and lose their limit. */
  readonly reset?: readonly (keyof TenantPolicy)[]
}

type Updating = Pick<Context, 'principal' | 'origin' | 'database' | 'now'>

/**
 * Changes a tenant as the operator. A quota below the stored bytes refuses further uploads and deletes nothing. Rejects
 * with `Invalid`. An update without a change records nothing.
 */
export function updateTenant(ctx: Updating, update: TenantUpdate): Promise<Tenant> {
  return changeTenant(ctx, (tenant) => {
    const reset = Object.fromEntries((update.reset ?? []).map((field) => [field, defaultPolicy[field]]))
    const ceilings = Object.entries(tenant.policyCeiling).filter(([field]) => !(field in reset))
    const policy = withStoredTypes(update.policy ?? {})
    const policyCeiling = { ...Object.fromEntries(ceilings), ...ceilingOf(policy) }
    const name = update.name === undefined ? tenant.name : acceptName('name', update.name, tenantNameMaxLength)
    return withinCeiling({ ...tenant, ...reset, ...policy, name, policyCeiling }, policy)
  })
}

/** Changes the policy of a tenant as its OWNER. Rejects with `Invalid`, which names the operator's limit. */
export function updateTenantPolicy(ctx: Updating, wanted: OwnerPolicy): Promise<Tenant> {
  return changeTenant(ctx, (tenant) => {
    const policy = withStoredTypes(wanted)
    return withinCeiling({ ...tenant, ...policy }, policy)
  })
}

/** Checks only the fields that change, so that a limit that was lowered later does not block an unrelated change. */
function withinCeiling(tenant: Tenant, changed: Partial<TenantPolicy>): Tenant {
  for (const field of ownerFields) {
    if (field in changed) refuseBeyond(field, tenant, tenant.policyCeiling)
  }
  return tenant
}

function refuseBeyond(field: OwnerField, tenant: Tenant, ceiling: PolicyCeiling): void {
  if (field === 'allowedContentTypes') {
    const allowed = ceiling.allowedContentTypes
    const wanted = tenant.allowedContentTypes
    if (!allowed || wanted?.every((type) => isAllowedType(allowed, type))) return
    throw new Invalid(field, `The operator of this installation allows these types only: ${allowed.join(', ')}.`)
  }
  const most = ceiling[field]
  if (most !== undefined && tenant[field] > most) {
    throw new Invalid(field, `The operator of this installation allows at most ${most}.`)
  }
}

async function changeTenant(ctx: Updating, changeIt: (tenant: Tenant) => Tenant): Promise<Tenant> {
  return change(ctx, async (tx) => {
    const before = await lockTenant(tx)
    const after = changeIt(before)
    acceptPolicy(policyOf(after))
    const changes = differences(before, after)
    if (Object.keys(changes).length === 0) return unchanged(before)
    const { id, slug: _slug, createdAt: _createdAt, ...columns } = after
    await tx.db.update(tenants).set(columns).where(eq(tenants.id, tx.tenantId))
    if (after.trashDays < before.trashDays) await lookForCooledFiles(tx, ctx.now())
    return { answer: after, records: [{ action: 'tenant.updated', id, name: after.name, payload: { changes } }] }
  })
}

/** Locks the row, so that concurrent changes do not overwrite each other. */
async function lockTenant(tx: Transaction): Promise<Tenant> {
  const [tenant] = await tx.db.select().from(tenants).where(eq(tenants.id, tx.tenantId)).for('no key update')
  if (!tenant) throw new Error(`Tenant ${tx.tenantId} has no row`)
  return tenant
}

function policyOf({ id: _id, slug: _slug, name: _name, createdAt: _at, policyCeiling: _most, ...policy }: Tenant) {
  return policy
}

/** For the audit log: each changed field with its old and new value. */
function differences(before: Tenant, after: Tenant): Record<string, { from: unknown; to: unknown }> {
  const fields = ['name', 'quotaBytes', ...ownerFields, 'policyCeiling'] as const
  const changed = fields.filter((field) => JSON.stringify(before[field]) !== JSON.stringify(after[field]))
  return Object.fromEntries(changed.map((field) => [field, { from: before[field], to: after[field] }]))
}
