import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestService, type TestService, type TestTenant } from './testService.ts'

let service: TestService
let tenant: TestTenant

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant({ maxFileBytes: 1_000 })
})

afterAll(() => service.close())

const update = (input: Record<string, unknown>, who = tenant.owner) =>
  service.ask(
    who,
    `mutation ($input: UpdateTenantPolicyInput!) { updateTenantPolicy(input: $input) {
      ... on UpdateTenantPolicySuccess { tenant { policy { maxFileBytes trashDays allowedContentTypes downloadUrlMaxSeconds } } }
      ... on Error { code message } ... on ValidationError { field } } }`,
    { input },
  )

it('changes the given fields and keeps the rest, null included', async () => {
  const { data } = await update({ trashDays: 3, allowedContentTypes: ['Image/'], downloadUrlMaxSeconds: null })
  expect(data.updateTenantPolicy.tenant.policy).toEqual({
    maxFileBytes: 1_000,
    trashDays: 3,
    allowedContentTypes: ['image/'],
    downloadUrlMaxSeconds: 86_400,
  })
})

it('accepts every type again for an empty list', async () => {
  const { data } = await update({ allowedContentTypes: [] })
  expect(data.updateTenantPolicy.tenant.policy.allowedContentTypes).toBeNull()
})

it('refuses more than the operator set, and names the bound', async () => {
  const { data } = await update({ maxFileBytes: 1_001, trashDays: 9 })
  expect(data.updateTenantPolicy).toMatchObject({
    code: 'VALIDATION',
    field: 'maxFileBytes',
    message: expect.stringContaining('at most 1000'),
  })
  const unchanged = await service.ask(tenant.viewer, '{ tenant { policy { trashDays } } }')
  expect(unchanged.data.tenant.policy.trashDays).toBe(3)
})

it('needs OWNER', async () => {
  const { errors } = await update({ trashDays: 1 }, tenant.admin)
  expect(errors?.[0]?.extensions?.['code']).toBe('FORBIDDEN')
})
