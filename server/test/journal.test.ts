import { setImmediate as turn } from 'node:timers/promises'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type postgres from 'postgres'
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest'
import { openTenantDatabase, type TenantDatabase } from '../src/database/tenantDatabase.ts'
import { change, unchanged } from '../src/domain/change.ts'
import type { Context } from '../src/domain/context.ts'
import { attachFile } from '../src/domain/files/attachments/attachments.ts'
import { deleteFile, renameFile, restoreFile, updateFile } from '../src/domain/files/changeFile.ts'
import { issueDownloadUrl } from '../src/domain/files/issueDownloadUrl.ts'
import { violationsIn } from '../src/domain/fsck/testing/violationsIn.ts'
import { cancelUpload } from '../src/domain/uploads/intents/releaseUpload.ts'
import { openSuperuser } from './faults/plantFile.ts'
import { addFile, owner, sendVersion } from './faults/scene.ts'
import { type HostApplication, startHostApplication } from './hostApplication.ts'
import { startTestService, type TestService, type TestTenant } from './testService.ts'

let service: TestService
let superuser: postgres.Sql
let database: TenantDatabase
let host: HostApplication
let tenant: TestTenant
let ctx: Context

beforeAll(async () => {
  service = await startTestService()
  superuser = openSuperuser(service)
  database = openTenantDatabase({ url: service.testDatabase.url, size: 8, applicationName: 'test' })
  host = await startHostApplication(service)
})

beforeEach(async () => {
  tenant = await service.createTenant()
  ctx = { ...service.contextOf(tenant.member), database }
})

afterAll(async () => {
  await host.close()
  await database.close()
  await superuser.end()
  await service.close()
})

const journal = () =>
  superuser<
    { seq: number; type: string }[]
  >`select seq::int, type from events where tenant_id = ${tenant.id} order by seq`

it('numbers every change from 1 without a gap, including those of the database functions', async () => {
  const file = await addFile(ctx, 'bytes')
  await renameFile(ctx, file, 'another name.txt')
  await attachFile(ctx, file, owner)
  await host.inTenant(tenant.id, (tx) => tx`select filegraph.detach_file(${file}, 'invoice', '1')`)
  await issueDownloadUrl(ctx, file, { disposition: 'ATTACHMENT', expiresInSeconds: null })
  await deleteFile(ctx, file)
  await cancelUpload(ctx, await sendVersion(ctx, 'more bytes', null))
  const rows = await journal()
  expect(rows.map(({ seq }) => seq)).toEqual(rows.map((_row, at) => at + 1))
  expect(rows.slice(-10).map(({ type }) => type)).toEqual([
    'upload_intent.created',
    'file.uploaded',
    'file.renamed',
    'file.attached',
    'file.detached',
    'file.download_url_issued',
    'file.soft_deleted',
    'upload_intent.created',
    'upload_intent.cancelled',
    'blob.released',
  ])
  const entries = await superuser`select a.seq::int from audit_log a join events e on e.tenant_id = a.tenant_id
    and e.seq = a.seq and e.type = a.action and e.subject_id = a.subject_id where a.tenant_id = ${tenant.id}`
  // The release of bytes has an event and no audit entry.
  expect(entries).toHaveLength(rows.length - 1)
})

it('takes no number for a call that changes nothing, is refused or is rolled back', async () => {
  const file = await addFile(ctx, 'bytes')
  await renameFile(ctx, file, 'a name.txt')
  const before = await journal()
  await renameFile(ctx, file, 'a name.txt')
  await restoreFile(ctx, file)
  await expect(renameFile(ctx, file, '')).rejects.toThrow()
  const failing = change(ctx, async () => ({
    answer: null,
    records: [{ action: 'file.renamed', id: 'not an id', name: null }],
  }))
  await expect(failing).rejects.toThrow()
  expect(await journal()).toEqual(before)
})

it('rolls back the whole change when its record cannot be written', async () => {
  const file = await addFile(ctx, 'bytes')
  const failing = change(ctx, async (tx) => {
    await updateFile(tx, file, { originalFileName: 'lost.txt' })
    return { answer: null, records: [{ action: 'file.renamed', id: 'not an id', name: null }] }
  })
  await expect(failing).rejects.toThrow()
  const [row] = await superuser`select original_file_name as name from files where id = ${file}`
  expect(row?.['name']).not.toBe('lost.txt')
  expect(await violationsIn(service, { tenant })).toEqual([])
})

it('shows readers a number only after all smaller ones', async () => {
  const files = await Promise.all(Array.from({ length: 8 }, () => addFile(ctx, 'bytes')))
  const over = new AbortController()
  const snapshots: { n: number; last: number }[] = []
  const watch = async () => {
    while (!over.signal.aborted) {
      const [row] = await superuser<{ n: number; last: number }[]>`
        select count(*)::int as n, max(seq)::int as last from events where tenant_id = ${tenant.id}`
      if (row) snapshots.push(row)
      await turn()
    }
  }
  const watching = watch()
  await Promise.all(
    files.map(async (file, nth) => {
      for (let round = 0; round < 20; round += 1) await renameFile(ctx, file, `${nth}-${round}.txt`)
    }),
  )
  over.abort()
  await watching
  expect(snapshots.filter(({ n, last }) => n !== last)).toEqual([])
  expect(new Set(snapshots.map(({ last }) => last)).size).toBeGreaterThan(10)
})

it('is written by the change itself: a verb without a record does not compile', async () => {
  // @ts-expect-error A bare answer says nothing about what was changed.
  const forgetful = () => change(ctx, async () => 'an answer')
  // @ts-expect-error An action has to be one that is listed.
  const inventive = () => change(ctx, async () => ({ answer: 1, records: [{ action: 'file.x', id: '', name: null }] }))
  expect([forgetful, inventive]).toHaveLength(2)
  expect(await change(ctx, async () => unchanged('an answer'))).toBe('an answer')
})

it('has one entry point: only change.ts opens a transaction that writes', () => {
  const source = fileURLToPath(new URL('../src', import.meta.url))
  const writers = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !/\.test\.ts$|testing\//.test(path))
    .filter((path) => /\bdatabase\.write\(|\.write\(ctx|\.write\(tenant/.test(readFileSync(join(source, path), 'utf8')))
  // Two stand in front of the database of a request or a run. Its transactions still begin in change.ts.
  expect(writers.toSorted()).toEqual(['domain/change.ts', 'domain/sweeps/runs/fence.ts', 'domain/tallyDatabase.ts'])
})

it('cannot be bypassed: the application has no right to insert an event or an entry', async () => {
  const may = await superuser`select has_table_privilege('filegraph_app', 'events', 'insert') as events,
    has_table_privilege('filegraph_app', 'audit_log', 'insert') as entries`
  expect(may).toEqual([{ events: false, entries: false }])
})
