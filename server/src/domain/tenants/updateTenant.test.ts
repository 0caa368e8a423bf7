import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestIdentity, type TestIdentity } from '../../../test/testIdentity.ts'
import { auditLog } from '../../database/tables/journalTables.ts'
import { reading, systemPrincipal } from '../context.ts'
import { Invalid } from '../refusals.ts'
import { createTenant, type Tenant, type TenantPolicy } from './createTenant.ts'
import { readTenant } from './findTenant.ts'
import { type OwnerPolicy, updateTenant, updateTenantPolicy } from './updateTenant.ts'

let identity: TestIdentity
let made = 0
beforeAll(async () => {
  identity = await createTestIdentity()
})
afterAll(() => identity.close())

const makeTenant = (policy: Partial<TenantPolicy> = {}) =>
  createTenant(identity, { slug: `updated-${(made += 1)}`, name: 'Before', policy })

const operator = (tenant: Tenant) => ({ ...identity.as('OWNER', tenant), principal: systemPrincipal(tenant.id) })
const owner = (tenant: Tenant) => identity.as('OWNER', tenant)
const stored = (tenant: Tenant) => reading(owner(tenant), readTenant)

const updatesOf = async (tenant: Tenant) => {
  const rows = await reading(owner(tenant), (tx) => tx.db.select().from(auditLog).where(tx.inTenant(auditLog)))
  return rows.filter(({ action }) => action === 'tenant.updated').map(({ payload }) => payload)
}

describe('the operator', () => {
  it('changes name, quota and policy, and the audit log records old and new values', async () => {
    const tenant = await makeTenant()
    await updateTenant(operator(tenant), { name: ' Über Büro ', policy: { quotaBytes: 5_000, trashDays: 7 } })
    expect(await stored(tenant)).toMatchObject({
      name: 'Über Büro',
      quotaBytes: 5_000,
      trashDays: 7,
      maxFileBytes: 5 * 2 ** 30,
    })
    expect(await updatesOf(tenant)).toEqual([
      {
        changes: {
          name: { from: 'Before', to: 'Über Büro' },
          quotaBytes: { from: null, to: 5_000 },
          trashDays: { from: 30, to: 7 },
          policyCeiling: { from: {}, to: { trashDays: 7 } },
        },
      },
    ])
  })

  it('records nothing when nothing changes', async () => {
    const tenant = await makeTenant({ trashDays: 3 })
    await updateTenant(operator(tenant), { name: 'Before', policy: { trashDays: 3 } })
    expect(await updatesOf(tenant)).toEqual([])
  })

  it('cannot set invalid values, and a refusal changes nothing', async () => {
    const tenant = await makeTenant()
    for (const policy of [{ trashDays: -1 }, { maxFileBytes: Number.NaN }, { allowedContentTypes: ['nonsense'] }]) {
      await expect(updateTenant(operator(tenant), { name: 'After', policy })).rejects.toBeInstanceOf(Invalid)
    }
    await expect(updateTenant(operator(tenant), { name: ' ' })).rejects.toBeInstanceOf(Invalid)
    expect(await stored(tenant)).toEqual(tenant)
  })
})

describe('an OWNER', () => {
  it('changes the policy freely where the operator set no limit', async () => {
    const tenant = await makeTenant()
    const wanted = {
      maxFileBytes: 6 * 2 ** 40,
      trashDays: 365,
      allowedContentTypes: ['image/'],
      downloadMaxSeconds: 604_800,
    }
    expect(await updateTenantPolicy(owner(tenant), wanted)).toMatchObject(wanted)
    expect(await stored(tenant)).toMatchObject(wanted)
  })

  it.each<[OwnerPolicy, OwnerPolicy]>([
    [{ maxFileBytes: 1_000 }, { maxFileBytes: 1_001 }],
    [{ trashDays: 10 }, { trashDays: 11 }],
    [{ intentLifetimeSeconds: 60 }, { intentLifetimeSeconds: 61 }],
    [{ downloadMaxSeconds: 600 }, { downloadMaxSeconds: 601 }],
    [{ allowedContentTypes: ['image/'] }, { allowedContentTypes: null }],
    [{ allowedContentTypes: ['image/'] }, { allowedContentTypes: ['image/png', 'text/plain'] }],
    [{ allowedContentTypes: ['image/png'] }, { allowedContentTypes: ['image/'] }],
  ])('stays within what the operator set: %o refuses %o', async (set, wanted) => {
    const tenant = await makeTenant(set)
    await expect(updateTenantPolicy(owner(tenant), wanted)).rejects.toBeInstanceOf(Invalid)
    expect(await stored(tenant)).toEqual(tenant)
  })

  it('lowers a value and raises it again up to the limit', async () => {
    const tenant = await makeTenant({ trashDays: 10, allowedContentTypes: ['image/'] })
    await updateTenantPolicy(owner(tenant), { trashDays: 2, allowedContentTypes: ['image/png'] })
    await updateTenantPolicy(owner(tenant), { trashDays: 10, allowedContentTypes: ['image/'] })
    expect(await stored(tenant)).toMatchObject({ trashDays: 10, allowedContentTypes: ['image/'] })
  })

  it('has no limit after the operator resets the value to its default', async () => {
    const tenant = await makeTenant({ trashDays: 10, maxFileBytes: 5 })
    expect(await updateTenant(operator(tenant), { reset: ['trashDays'] })).toMatchObject({
      trashDays: 30,
      maxFileBytes: 5,
      policyCeiling: { maxFileBytes: 5 },
    })
    expect(await updateTenantPolicy(owner(tenant), { trashDays: 60 })).toMatchObject({ trashDays: 60 })
  })
})

it('keeps both of two concurrent changes', async () => {
  const tenant = await makeTenant()
  const changes = [{ trashDays: 5 }, { downloadMaxSeconds: 60 }, { intentLifetimeSeconds: 90 }, { maxFileBytes: 7 }]
  await Promise.all(changes.map((change) => updateTenantPolicy(owner(tenant), change)))
  expect(await stored(tenant)).toMatchObject(Object.assign({}, ...changes))
  expect(await updatesOf(tenant)).toHaveLength(4)
})
