import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { usualCleanup } from '../../src/domain/sweeps/runs/settings.ts'
import { type TestTenant, uploadFile } from '../testService.ts'
import { none, newIds, openReconcileWorkbench, type ReconcileWorkbench } from './reconcileWorkbench.ts'

let bench: ReconcileWorkbench
let tenant: TestTenant
let tenantId: string
let prefix: string

const day = 86_400_000

beforeAll(async () => {
  bench = await openReconcileWorkbench()
  tenant = await bench.service.createTenant()
})
afterAll(() => bench.close())

beforeEach(() => {
  Object.assign(bench.service.cleanup, { ...usualCleanup, listedPerSecond: 10_000_000 })
  // Sweeps need the id alone.
  tenantId = randomUUID()
  prefix = `org/${tenantId}/`
})

/** For a test with people in it. */
function useTenant(): void {
  tenantId = tenant.id
  prefix = `org/${tenantId}/`
}

const isThere = async (key: string) => (await bench.service.blobs.head(key)) !== null

describe('bytes without a row', () => {
  it('are reported by a dry run, which changes nothing', async () => {
    const key = `${prefix}files/${newIds(1)[0]}.txt`
    await bench.put(key)
    const { tally } = await bench.reconcile(tenantId, 10, { isDryRun: true })
    expect(tally).toMatchObject({ examined: 1, deleted: 0, found: { orphan: 1 } })
    expect(tally.sample).toEqual([{ what: 'orphan', key, byteSize: 5 }])
    expect(await bench.orphansOf(tenantId)).toEqual([])
    expect(await isThere(key)).toBe(true)
  })

  it('are watched first, and deleted after the grace period, not before', async () => {
    useTenant()
    const file = await uploadFile(bench.service, tenant.member)
    const [key = ''] = await bench.putOrphans(tenantId, newIds(1))
    const first = await bench.reconcile(tenantId)
    expect(first.tally).toMatchObject({ examined: 2, deleted: 0, found: { orphan: 1 }, held: { GRACE: 1 } })
    expect(await bench.orphansOf(tenantId)).toEqual([key])
    await bench.watchedFor(day - 60_000)
    expect((await bench.reconcile(tenantId)).tally).toMatchObject({ deleted: 0, held: { GRACE: 1 } })
    expect(await isThere(key)).toBe(true)
    await bench.watchedFor(60_000)
    expect((await bench.reconcile(tenantId, 10, { isDryRun: true })).tally).toMatchObject({ deleted: 1, held: none })
    expect(await isThere(key)).toBe(true)
    expect((await bench.reconcile(tenantId)).tally).toMatchObject({ deleted: 1, deletedBytes: 5, held: none })
    expect(await isThere(key)).toBe(false)
    expect(await bench.orphansOf(tenantId)).toEqual([])
    const again = await bench.reconcile(tenantId)
    expect(again.tally).toMatchObject({ examined: 1, deleted: 0, found: none })
    const { data } = await bench.service.ask(tenant.member, `{ file(id: "${file.id}") { name } }`)
    expect(data.file.name).toBe('hello.txt')
  })

  it('are deleted with an audit entry and an event each', async () => {
    const keys = await bench.putOrphans(tenantId, newIds(3))
    bench.service.cleanup.orphanGraceMs = 0
    expect((await bench.reconcile(tenantId)).tally.deleted).toBe(3)
    const entries = await bench.sql`select payload ->> 'objectKey' as key from audit_log
      where tenant_id = ${tenantId} and action = 'orphan.deleted' order by 1`
    expect(entries.map((row) => row['key'])).toEqual(keys)
    const events = await bench.sql`select payload ->> 'objectKey' as key from events
      where tenant_id = ${tenantId} and type = 'orphan.deleted' order by 1`
    expect(events.map((row) => row['key'])).toEqual(keys)
  })

  it('are watched again from the start if other bytes replace them', async () => {
    const [key = ''] = await bench.putOrphans(tenantId, newIds(1))
    await bench.reconcile(tenantId)
    await bench.watchedFor(2 * day)
    await bench.put(key, 'other')
    expect((await bench.reconcile(tenantId)).tally).toMatchObject({ deleted: 0, held: { GRACE: 1 } })
    expect(await isThere(key)).toBe(true)
    await bench.watchedFor(2 * day)
    expect((await bench.reconcile(tenantId)).tally.deleted).toBe(1)
  })

  it('stay if other bytes replace them between the listing and the delete', async () => {
    const [key = ''] = await bench.putOrphans(tenantId, newIds(1))
    bench.service.cleanup.orphanGraceMs = 0
    const { head } = bench.service.blobs
    const { blobs } = bench.service as { blobs: { head: typeof head } }
    blobs.head = async (asked) => {
      if (asked === key) await bench.put(key, 'other')
      return head(asked)
    }
    const outcome = await bench.reconcile(tenantId).finally(() => {
      blobs.head = head
    })
    expect(outcome.tally.deleted).toBe(0)
    expect(await isThere(key)).toBe(true)
  })

  it('stay if they have a row by then, for any reason', async () => {
    const [id = ''] = newIds(1)
    const [key = ''] = await bench.putOrphans(tenantId, [id])
    bench.service.cleanup.orphanGraceMs = 0
    const { head } = bench.service.blobs
    const { blobs } = bench.service as { blobs: { head: typeof head } }
    blobs.head = async (asked) => {
      if (asked === key) await bench.plantRows(tenantId, [id], { status: 'pending' })
      return head(asked)
    }
    const outcome = await bench.reconcile(tenantId).finally(() => {
      blobs.head = head
    })
    expect(outcome.tally).toMatchObject({ deleted: 0, found: { orphan: 1 } })
    expect(await isThere(key)).toBe(true)
  })

  it('stay if they exceed the brake, until a person has examined them', async () => {
    useTenant()
    const keys = await bench.putOrphans(tenantId, newIds(4))
    Object.assign(bench.service.cleanup, { orphanGraceMs: 0, brakeObjects: 3 })
    const stopped = await bench.reconcile(tenantId)
    expect(stopped.ended).toContain('More than 3 objects would be deleted')
    expect(await Promise.all(keys.map(isThere))).toEqual([true, true, true, true])
    const [run] = await bench.runsOf(tenant.admin)
    expect(run).toMatchObject({ state: 'STOPPED', deleted: 0, found: { orphan: 4 } })
    expect((await bench.reconcile(tenantId, 2, { exceedsBrake: true })).tally.deleted).toBe(4)
  })

  it('are found under any name, at any end of a page', async () => {
    const names = [
      'aaa',
      'files/x',
      'files/',
      'files/no-uuid.txt',
      'files/ملف-📄.txt',
      'zzz',
      'أرشيف/صورة 📷 ١.png',
      'files0',
    ]
    const [id = '', other = ''] = newIds(2)
    const [known = ''] = await bench.plantRows(tenantId, [id])
    const strange = [...names, `files/${id}.png`, `files/${id}`, `files/${other}`].map((name) => `${prefix}${name}`)
    for (const key of [known, ...strange]) await bench.put(key)
    for (const pageKeys of [1, 2, 3, 1_000]) {
      const { tally } = await bench.reconcile(tenantId, pageKeys)
      expect(tally).toMatchObject({ examined: 12, found: { orphan: 11 }, held: { GRACE: 11 } })
    }
    expect(new Set(await bench.orphansOf(tenantId))).toEqual(new Set(strange))
    await bench.watchedFor(day)
    expect((await bench.reconcile(tenantId, 2)).tally).toMatchObject({ deleted: 0, held: { FOREIGN: 11 } })
    // Two of them name a blob that has a row.
    const { tally } = await bench.reconcile(tenantId, 2, { includesForeign: true })
    expect(tally).toMatchObject({ deleted: 9, held: { ROWS: 2 } })
    expect(await isThere(known)).toBe(true)
    expect(await bench.quarantinedOf(tenantId)).toEqual([])
  })

  it('of another tenant are ignored', async () => {
    const other = { id: randomUUID() }
    await bench.put(`org/${other.id}/files/stray.txt`)
    bench.service.cleanup.orphanGraceMs = 0
    expect((await bench.reconcile(tenantId)).tally).toMatchObject({ examined: 0, deleted: 0 })
    expect(await isThere(`org/${other.id}/files/stray.txt`)).toBe(true)
  })
})
