import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestIdentity, type TestIdentity } from '../../../test/testIdentity.ts'
import { tenantUsage } from '../../database/tables/identityTables.ts'
import { auditLog } from '../../database/tables/journalTables.ts'
import { Conflict, Invalid } from '../refusals.ts'
import { createTenant, type TenantPolicy, listTenants } from './createTenant.ts'
import { findTenantBySlug } from './findTenant.ts'

let identity: TestIdentity
beforeAll(async () => {
  identity = await createTestIdentity()
})
afterAll(() => identity.close())

describe('a tenant', () => {
  it('starts with a policy, empty counters and one audit entry', async () => {
    const tenant = await createTenant(identity, { slug: 'carol', name: ' Carol ', policy: { quotaBytes: 1000 } })
    expect(tenant).toMatchObject({ name: 'Carol', maxFileBytes: 5_368_709_120, trashDays: 30, quotaBytes: 1000 })
    const [usage] = await identity.database.read(tenant.id, (tx) =>
      tx.db.select().from(tenantUsage).where(tx.inTenant(tenantUsage)),
    )
    expect(usage).toMatchObject({ fileCount: 0, storedBytes: 0, reservedBytes: 0 })
    const entries = await identity.database.read(tenant.id, (tx) =>
      tx.db.select().from(auditLog).where(tx.inTenant(auditLog)),
    )
    expect(entries.map(({ action, subjectId }) => [action, subjectId])).toEqual([['tenant.created', tenant.id]])
  })

  it('is found by its slug, and listed by slug', async () => {
    expect(await findTenantBySlug(identity.database, 'bobs-yard')).toEqual({ id: identity.bob.id, slug: 'bobs-yard' })
    expect(await findTenantBySlug(identity.database, 'Bobs-Yard')).toBeNull()
    const slugs = (await listTenants(identity)).map(({ slug }) => slug)
    expect(slugs).toEqual(slugs.toSorted())
    expect(slugs).toContain('ada-works')
  })

  it('has a unique slug, and a refused tenant leaves nothing behind', async () => {
    const before = await listTenants(identity)
    await expect(createTenant(identity, { slug: 'ada-works', name: 'Twin' })).rejects.toBeInstanceOf(Conflict)
    expect(await listTenants(identity)).toEqual(before)
  })

  it.each(['', 'a', 'x'.repeat(41), 'Ada', 'a b', 'a_b', 'é-é', randomUUID()])(
    'cannot have the slug %s',
    async (slug) => {
      await expect(createTenant(identity, { slug, name: 'Name' })).rejects.toBeInstanceOf(Invalid)
    },
  )

  it.each<Partial<TenantPolicy>>([
    { trashDays: -1 },
    { trashDays: 99_999_999_999 },
    { trashDays: 1.5 },
    { intentLifetimeSeconds: 0 },
    { intentLifetimeSeconds: 99_999_999_999 },
    { downloadMaxSeconds: 604_801 },
    { quotaBytes: -1 },
    { maxFileBytes: 2 ** 53 },
    { allowedContentTypes: ['imag'] },
    { allowedContentTypes: ['image/', 'image/*/x'] },
    { allowedContentTypes: ['*/*'] },
    { allowedContentTypes: [''] },
  ])('is not made with a policy that makes no sense: %o', async (policy) => {
    await expect(createTenant(identity, { slug: 'negative', name: 'Name', policy })).rejects.toBeInstanceOf(Invalid)
    expect(await findTenantBySlug(identity.database, 'negative')).toBeNull()
  })

  it('stores allowed types under their stored names', async () => {
    const types = ['IMAGE/PNG', 'image/*', 'image', 'application/x-zip-compressed', 'text/', 'application/zip']
    const made = await createTenant(identity, { slug: 'names', name: 'Name', policy: { allowedContentTypes: types } })
    const stored = ['image/png', 'image/', 'application/zip', 'text/']
    expect(made).toMatchObject({ allowedContentTypes: stored, policyCeiling: { allowedContentTypes: stored } })
  })
})
