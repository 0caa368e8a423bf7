import { afterAll, beforeAll, expect, it } from 'vitest'
import { newRun, openSuperuser, sweepContextOf } from '../../../../test/faults/plantFile.ts'
import { startTestService, type TestService, type TestTenant } from '../../../../test/testService.ts'
import { findUnfinishedPosition } from './reconcileTenant.ts'

let service: TestService
let tenant: TestTenant

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
})
afterAll(() => service.close())

it.each([
  ['goes on where a run of an hour ago failed', -1, 'a/key'],
  ['begins again when the run that failed is of another day', -25, null],
  ['does not take a run that a clock ahead of ours has made for the last one', 26, null],
])('%s', async (_fact, hours, position) => {
  const sql = openSuperuser(service)
  await service.sweep(tenant.id, 'RECONCILE')
  await sql`update cleanup_runs set state = 'FAILED', position = 'a/key', created_at = now() + make_interval(hours => ${hours})`
  await sql.end()
  expect(await findUnfinishedPosition(sweepContextOf(service, tenant), newRun())).toBe(position)
})
