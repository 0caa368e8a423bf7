import { afterAll, beforeAll, expect, it } from 'vitest'
import { acceptBucket } from '../src/domain/installation/acceptBucket.ts'
import type { Principal } from '../src/domain/context.ts'
import { cloneOf, productionOf } from './faults/livingDatabases.ts'
import { startTestService, type TestService, type TestTenant } from './testService.ts'

let service: TestService
let tenant: TestTenant
let closing: (() => Promise<void>) | undefined

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
})
afterAll(async () => {
  await closing?.()
  await service.close()
})

const since = async (who: Principal): Promise<string | null> => {
  const { data, errors } = await service.ask(who, '{ tenant { deletesRefusedSince } }')
  expect(errors).toBeUndefined()
  return data.tenant.deletesRefusedSince
}

it('administrators can read since when another database on the bucket stops all deletes, until a person decides', async () => {
  const production = productionOf(service, tenant)
  expect(await production.look()).toBeNull()
  expect(await since(tenant.admin)).toBeNull()

  const { clone, copy } = await cloneOf(service, tenant, 'DUMP')
  closing = () => copy.close()
  await clone.look()
  const before = Date.now()
  expect(await production.look()).not.toBeNull()
  const [forAdmin, forOwner] = [await since(tenant.admin), await since(tenant.owner)]
  expect(Date.parse(forAdmin ?? '')).toBeGreaterThanOrEqual(before - 1)
  expect(forOwner).toBe(forAdmin)
  // What other databases are called and where they run is the operator's to know.
  expect([await since(tenant.member), await since(tenant.viewer)]).toEqual([null, null])

  // Answered from the database: the bucket is asked once a minute, and not once a request.
  await service.bucket.stop()
  expect(await since(tenant.admin)).toBe(forAdmin)
  await service.bucket.start()

  await acceptBucket(production.parts)
  expect(await since(tenant.admin)).toBeNull()
})
