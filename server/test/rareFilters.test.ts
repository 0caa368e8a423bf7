import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { planSettings } from '../src/database/connection.ts'
import type { PreparedStatement, StatementValues } from '../src/database/preparedStatement.ts'
import { type FileFilter, listFiles } from '../src/domain/files/listFiles.ts'
import { seedFiles } from './seedFiles.ts'
import { startTestService, type TestService, type TestTenant } from './testService.ts'

const files = 20_000

let service: TestService
let tenant: TestTenant
let app: postgres.Sql

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  app = postgres(service.testDatabase.url, {
    max: 1,
    connection: { role: service.testDatabase.appRole, search_path: 'filegraph', ...planSettings },
  })
  const superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
  await seedFiles(superuser, await service.createTenant(), files)
  await seedFiles(superuser, tenant, files)
  await superuser`update files set soft_deleted_at = uploaded_at, soft_deleted_by = uploaded_by
    where right(id::text, 1) in ('3', '6', '9')`
  await superuser`vacuum (full, analyze) files`
  await superuser.end()
}, 120_000)

afterAll(async () => {
  await app.end()
  await service.close()
})

/** What the product sends for the first page: the text and its values. */
async function statementFor(filter: FileFilter): Promise<{ text: string; params: readonly unknown[] }> {
  let sent: { text: string; params: readonly unknown[] } | undefined
  const send = async (text: string, params: unknown[]) => {
    sent = { text, params }
    return { rows: [] }
  }
  const transaction = {
    run: (statement: PreparedStatement<unknown>, values: StatementValues) => statement.execute(values, tenant.id, send),
  }
  const database = { readOnce: (_tenantId: string, work: (tx: never) => unknown) => work(transaction as never) }
  await listFiles({ ...service.contextOf(tenant.member), database: database as never }, filter, false, { first: 20 })
  if (!sent) throw new Error('Nothing was sent')
  return sent
}

/** The plan as it was run, for the second time: the first reads the catalogue too. */
async function explain({ text, params }: Awaited<ReturnType<typeof statementFor>>): Promise<string> {
  const values = params.map((param) => `'${String(param)}'`).join(', ')
  return app.begin(async (tx) => {
    await tx`select set_tenant(${tenant.id})`
    await tx.unsafe(`prepare page as ${text}`)
    const run = () => tx.unsafe(`explain (analyze, buffers, timing off) execute page(${values})`)
    await run()
    const plan = (await run()).map((row) => row['QUERY PLAN'] as string).join('\n')
    await tx.unsafe('deallocate page')
    return plan
  })
}

const everything: FileFilter = { trashed: false, contentTypePrefix: null, uploadedById: null }

describe('a filter that matches nothing', () => {
  it.each([
    ['of the classes', { contentTypePrefix: 'model/' }, 10],
    ['of the types of a class', { contentTypePrefix: 'a/c' }, 250],
    ['of the types of one person', () => ({ uploadedById: tenant.member.id, contentTypePrefix: 'model/' }), 250],
    ['of the types in the trash', { trashed: true, contentTypePrefix: 'a/c' }, 150],
    ['of the people in the trash', () => ({ trashed: true, uploadedById: tenant.viewer.id }), 150],
  ] as const)('%s reads an index and no row', async (_name, filter, mostBuffers) => {
    const plan = await explain(
      await statementFor({ ...everything, ...(typeof filter === 'function' ? filter() : filter) }),
    )
    const [, buffers] = /Buffers: shared hit=(\d+)/.exec(plan) ?? []
    expect(plan).not.toContain('Rows Removed by Filter')
    expect(Number(buffers)).toBeLessThanOrEqual(mostBuffers)
  })
})
