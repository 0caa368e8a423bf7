import { afterAll, beforeAll, expect, it } from 'vitest'
import {
  askForIntent,
  startTestService,
  type TestService,
  type TestTenant,
  uploadFile,
} from '../../../test/testService.ts'
import { findingsIn, violationsIn } from './testing/violationsIn.ts'

let service: TestService
let tenant: TestTenant
beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
})
afterAll(() => service.close())

it('finds nothing in a healthy tenant', async () => {
  const file = await uploadFile(service, tenant.member)
  await uploadFile(service, tenant.member, { fileId: file.id, name: 'two.txt', content: 'longer' })
  await askForIntent(service, tenant.member)
  expect(await violationsIn(service)).toEqual([])
  expect(await findingsIn(service, { tenant, skipsBucket: true })).toEqual([])
})
