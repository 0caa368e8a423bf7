import { sql } from 'drizzle-orm'
import { pgTable, text } from 'drizzle-orm/pg-core'
import { drizzle, type PostgresJsDatabase } from 'drizzle-orm/postgres-js'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { exampleIn } from './documentExample.ts'
import { type Data, startTestService, type TestService, type TestTenant, uploadFile } from './testService.ts'

const example = (name: string) => exampleIn('README.md', name)

const invoices = pgTable('invoices', { id: text().primaryKey(), customer: text() })

let service: TestService
let tenant: TestTenant
let administrator: postgres.Sql
let application: postgres.Sql
let file: Data

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  file = await uploadFile(service, tenant.member)
  administrator = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
  await administrator.unsafe(`create role my_app login password 'test'; ${example('attach-grant')}`)
  await administrator.unsafe(`create schema my_app authorization my_app`)
  const url = Object.assign(new URL(service.testDatabase.superuserUrl), { username: 'my_app', password: 'test' })
  application = postgres(url.href, { max: 1, onnotice: () => undefined })
  await application`create table invoices (id text primary key, customer text)`
})

afterAll(async () => {
  await application.end({ timeout: 5 })
  await administrator.unsafe('drop owned by my_app cascade; drop role my_app')
  await administrator.end()
  await service.close()
})

const filledIn = (code: string) => code.replaceAll('<tenant id>', tenant.id).replaceAll('<file id>', file.id)

/** Which invoices there are, and which of them the file is attached to. */
async function rowsAndAttachments(): Promise<{ rows: string[]; attachments: string[] }> {
  const query = 'query ($id: ID!) { file(id: $id) { attachments { nodes { ownerId } } } }'
  const { data } = await service.ask(tenant.viewer, query, { id: file.id })
  const rows = await application`select id from invoices order by id`
  return {
    rows: rows.map((row) => row['id']),
    attachments: data.file.attachments.nodes.map((one: Data) => one.ownerId).toSorted(),
  }
}

/** Runs the example in Drizzle with all that it takes for granted. */
function runInDrizzle(db: Pick<PostgresJsDatabase, 'transaction'>): Promise<void> {
  const AsyncFunction = (async () => undefined).constructor as FunctionConstructor
  const run = AsyncFunction('db', 'sql', 'invoices', 'tenantId', 'fileId', example('attach-drizzle'))
  return run(db, sql, invoices, tenant.id, file.id)
}

describe('the examples of the README', () => {
  it('leave neither row nor attachment after a rollback', async () => {
    const rolledBack = filledIn(example('attach-sql')).replace('commit;', 'rollback;')
    expect(rolledBack).toContain('rollback;')
    await application.unsafe(rolledBack)
    const db = drizzle({ client: application })
    const failing = new Error('The application failed after the example')
    const thenFail: Pick<PostgresJsDatabase, 'transaction'> = {
      transaction: (work, config) =>
        db.transaction(async (tx) => {
          await work(tx)
          throw failing
        }, config),
    }
    await expect(runInDrizzle(thenFail)).rejects.toBe(failing)
    expect(await rowsAndAttachments()).toEqual({ rows: [], attachments: [] })
  })

  it('leave row and attachment after a commit, in plain SQL', async () => {
    await application.unsafe(filledIn(example('attach-sql')))
    expect(await rowsAndAttachments()).toEqual({ rows: ['2026-0042'], attachments: ['2026-0042'] })
  })

  it('leave row and attachment after a commit, in Drizzle', async () => {
    await runInDrizzle(drizzle({ client: application }))
    const both = ['2026-0042', '2026-0043']
    expect(await rowsAndAttachments()).toEqual({ rows: both, attachments: both })
  })

  it('attach and list by GraphQL', async () => {
    // As a whole, as somebody pastes it: one document with two operations.
    const document = filledIn(example('attach-graphql'))
    const attached = await service.ask(tenant.member, document, undefined, 'Attach')
    expect(attached.data).toEqual({ attachFile: { __typename: 'AttachFileSuccess' } })
    const { data } = await service.ask(tenant.viewer, document, undefined, 'UsedBy')
    const uses = [{ slot: 'scan', file: { name: file.name, downloadUrl: expect.any(String) } }]
    expect(data.attachmentsOf.nodes).toEqual(uses)
  })
})
