import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Data, type TestTenant, uploadFile } from '../testService.ts'
import { none, newIds, openReconcileWorkbench, type ReconcileWorkbench } from './reconcileWorkbench.ts'

let bench: ReconcileWorkbench
let tenant: TestTenant

beforeAll(async () => {
  bench = await openReconcileWorkbench()
  tenant = await bench.service.createTenant()
})
afterAll(() => bench.close())

async function keyOf(file: Data): Promise<string> {
  const [row] = await bench.sql`select object_key from blobs b
    join file_versions v on v.tenant_id = b.tenant_id and v.blob_id = b.id
    join files f on f.tenant_id = v.tenant_id and f.id = v.file_id
    where f.tenant_id = ${tenant.id} and f.original_file_name = ${file.name}`
  return String(row?.['object_key'])
}

const seen = async (file: Data) =>
  (await bench.service.ask(tenant.viewer, `{ file(id: "${file.id}") { name quarantinedAt } }`)).data.file

const recorded = async (action: string) => {
  const [row] = await bench.sql`select
    (select count(*)::int from audit_log where tenant_id = ${tenant.id} and action = ${action}) as audit,
    (select count(*)::int from events where tenant_id = ${tenant.id} and type = ${action}) as events`
  return row
}

describe('a row without bytes', () => {
  it('is put into quarantine once, is visible, is never deleted, and leaves quarantine when the bytes are back', async () => {
    const file = await uploadFile(bench.service, tenant.member, { name: 'lost.txt' })
    await uploadFile(bench.service, tenant.member, { name: 'kept.txt' })
    const key = await keyOf(file)
    await bench.service.blobs.delete([key])

    expect((await bench.reconcile(tenant.id, 10, { isDryRun: true })).tally.found).toEqual({ missing: 1 })
    expect((await seen(file)).quarantinedAt).toBeNull()
    for (let time = 1; time <= 2; time += 1) {
      const { tally } = await bench.reconcile(tenant.id)
      expect(tally).toMatchObject({ examined: 1, deleted: 0, found: { missing: 1 } })
      expect(tally.sample).toEqual([{ what: 'missing', key, byteSize: 5 }])
    }
    expect(await seen(file)).toMatchObject({ name: 'lost.txt', quarantinedAt: expect.any(String) })
    expect(await bench.quarantinedOf(tenant.id)).toEqual([key])
    expect(await recorded('blob.quarantined')).toEqual({ audit: 1, events: 1 })

    await bench.put(key, 'hello')
    expect((await bench.reconcile(tenant.id, 10, { isDryRun: true })).tally.found).toEqual({ returned: 1 })
    expect((await seen(file)).quarantinedAt).not.toBeNull()
    expect((await bench.reconcile(tenant.id)).tally.found).toEqual({ returned: 1 })
    expect((await seen(file)).quarantinedAt).toBeNull()
    expect(await recorded('blob.cleared')).toEqual({ audit: 1, events: 1 })
    expect((await bench.reconcile(tenant.id)).tally.found).toEqual({})
  })

  it('or with other bytes is reported, for another size and for another ETag', async () => {
    const shorter = await uploadFile(bench.service, tenant.member, { name: 'shorter.txt' })
    const other = await uploadFile(bench.service, tenant.member, { name: 'other.txt' })
    await bench.put(await keyOf(shorter), 'hell')
    await bench.put(await keyOf(other), 'hallo')
    expect((await bench.reconcile(tenant.id)).tally.found).toEqual({ different: 2 })
    expect((await seen(shorter)).quarantinedAt).not.toBeNull()
    expect((await seen(other)).quarantinedAt).not.toBeNull()
    await bench.put(await keyOf(shorter), 'hello')
    await bench.put(await keyOf(other), 'hello')
    expect((await bench.reconcile(tenant.id)).tally.found).toEqual({ returned: 2 })
    expect(await bench.quarantinedOf(tenant.id)).toEqual([])
  })

  it('is not reported while it is pending or deleting, with an object or without', async () => {
    const tenantId = randomUUID()
    const pending = await bench.plantRows(tenantId, newIds(2), { status: 'pending' })
    const deleting = await bench.plantRows(tenantId, newIds(2), { status: 'deleting' })
    await bench.put(pending[0] ?? '', 'half of it')
    await bench.put(deleting[0] ?? '', 'something else')
    bench.service.cleanup.orphanGraceMs = 0
    expect((await bench.reconcile(tenantId, 1)).tally).toMatchObject({ examined: 2, deleted: 0, found: none })
    expect(await bench.quarantinedOf(tenantId)).toEqual([])
    const [row] = await bench.sql`select count(*)::int as count from blobs where tenant_id = ${tenantId}`
    expect(row?.['count']).toBe(4)
  })

  it('is found among a thousand in a gap of the listing, beside existing objects', async () => {
    const tenantId = randomUUID()
    const ids = newIds(1_053)
    const keys = await bench.plantRows(tenantId, ids)
    const there = [0, 500, 1_052].map((at) => keys[at] ?? '')
    for (const key of there) await bench.put(key)
    const { tally } = await bench.reconcile(tenantId, 1)
    expect(tally).toMatchObject({ examined: 3, found: { missing: 1_050 } })
    const lost = await bench.quarantinedOf(tenantId)
    expect(lost).toHaveLength(1_050)
    expect(there.some((key) => lost.includes(key))).toBe(false)
  }, 60_000)
})
