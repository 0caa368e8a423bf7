import { randomUUID } from 'node:crypto'
import { openTenantDatabase, type TenantDatabase } from '../src/database/tenantDatabase.ts'
import { type Context, type Principal, type Role, systemPrincipal } from '../src/domain/context.ts'
import { createUser } from '../src/domain/identity/people/createUser.ts'
import { createTenant, type Tenant } from '../src/domain/tenants/createTenant.ts'
import type { BlobStore } from '../src/storage/blobStore.ts'
import { createTestDatabase, type TestDatabase } from './testDatabase.ts'

export interface TestIdentity {
  readonly testDatabase: TestDatabase
  readonly database: TenantDatabase
  /** Two tenants that must not learn of each other. */
  readonly ada: Tenant
  readonly bob: Tenant
  readonly clock: { now: Date }
  readonly now: () => Date
  /** A context of someone with that role in the tenant of Ada. */
  as(role: Role, tenant?: Tenant): Context
  addUser(email: string, tenant: Tenant, role?: Role): Promise<string>
  close(): Promise<void>
}

export const testPassword = 'correct horse battery staple'

export async function createTestIdentity(): Promise<TestIdentity> {
  const testDatabase = await createTestDatabase()
  const database = openTenantDatabase({ url: testDatabase.url, size: 6, applicationName: 'test' })
  const clock = { now: new Date() }
  const now = () => clock.now
  const services = { database, now }
  const ada = await createTenant(services, { slug: 'ada-works', name: 'Ada Works' })
  const bob = await createTenant(services, { slug: 'bobs-yard', name: 'Bob’s Yard' })
  return {
    testDatabase,
    database,
    ada,
    bob,
    clock,
    now,
    as: (role, tenant = ada) => contextOf({ ...someone(tenant), role }, database, now),
    addUser: async (email, tenant, role = 'MEMBER') => {
      const member = { email, name: `Name of ${email}`, password: testPassword, role }
      return (await createUser(services, { ...member, tenantSlug: tenant.slug })).userId
    },
    close: async () => {
      await database.close()
      await testDatabase.drop()
    },
  }
}

function someone(tenant: Tenant): Principal {
  const subject = randomUUID()
  return { ...systemPrincipal(tenant.id), id: subject, kind: 'EXTERNAL', subject, name: 'Someone' }
}

const contextOf = (principal: Principal, database: TenantDatabase, now: () => Date): Context => ({
  principal,
  origin: { requestId: null, address: null, userAgent: null },
  database,
  // Nothing about identity touches bytes.
  blobs: {} as BlobStore,
  now,
})
