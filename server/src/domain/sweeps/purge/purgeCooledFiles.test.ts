import postgres from 'postgres'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { startTestService, type TestService, type TestTenant, uploadFile } from '../../../../test/testService.ts'

let service: TestService
let tenant: TestTenant
let sql: postgres.Sql

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant({ trashDays: 0 })
  sql = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
})

afterAll(async () => {
  await sql.end()
  await service.close()
})

it('does not count a batch that was rolled back', async () => {
  const { id } = await uploadFile(service, tenant.member)
  await service.ask(tenant.member, 'mutation ($id: ID!) { deleteFile(input: { id: $id }) { __typename } }', { id })
  await sql`create function refuse_purge() returns trigger language plpgsql as 'begin raise exception ''no''; end'`
  await sql`create trigger refuse_purge before update on files for each row when (new.purged_at is not null)
    execute function refuse_purge()`
  await expect(service.sweep(tenant.id, 'PURGE_FILES')).rejects.toThrow()
  await sql`drop trigger refuse_purge on files`
  expect((await service.sweep(tenant.id, 'PURGE_FILES')).tally).toMatchObject({ examined: 1, deleted: 1 })
  const runs = await sql`select state, deleted::int from cleanup_runs where tenant_id = ${tenant.id} order by id`
  expect(runs.map(({ state, deleted }) => [state, deleted])).toEqual([
    ['FAILED', 0],
    ['DONE', 1],
  ])
})
