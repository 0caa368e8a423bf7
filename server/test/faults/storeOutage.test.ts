import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { CleanupKind } from '../../src/domain/sweeps/runs/recordRun.ts'
import { askForIntent, commit, sendBytes, type TestTenant, uploadFile } from '../testService.ts'
import { contentOf, plantFile, plantReleased } from './plantFile.ts'
import { none, openReconcileWorkbench, type ReconcileWorkbench } from './reconcileWorkbench.ts'
import { violationsIn } from './violationsIn.ts'

let bench: ReconcileWorkbench
let tenant: TestTenant

beforeAll(async () => {
  bench = await openReconcileWorkbench({ behindProxy: true })
  tenant = await bench.service.createTenant()
})
afterAll(() => bench.close())

const minute = 60_000
const needBucket: CleanupKind[] = ['ABORT_UPLOADS', 'DELETE_BLOBS', 'RECONCILE', 'VERIFY']

describe('while the bucket cannot be reached for an hour', () => {
  it('no state becomes wrong, and everything is caught up afterwards', async () => {
    const { service, sql } = bench
    const kept = await plantFile(service, tenant, sql)
    const released = [await plantReleased(service, tenant, sql), await plantReleased(service, tenant, sql)]
    const { uploadIntent: sent } = await askForIntent(service, tenant.member, { name: 'sent.txt' })
    await sendBytes(sent, 'hello')
    await bench.reconcile(tenant.id)

    await service.bucket.stop()
    await expect(commit(service, tenant.member, sent.id)).rejects.toThrow('SERVICE_UNAVAILABLE')
    for (let elapsed = 0; elapsed < 60; elapsed += 20) {
      for (const kind of needBucket) {
        const made = bench.service.sweep(tenant.id, kind)
        await expect(made).rejects.toThrow('no usable answer')
      }
      expect((await service.sweep(tenant.id, 'EXPIRE_UPLOADS')).tally.deleted).toBe(0)
      expect((await service.sweep(tenant.id, 'PURGE_FILES')).tally.deleted).toBe(0)
      expect(await violationsIn(service, tenant, true)).toEqual([])
      // Moves the times of the rows back, because no clock is wrong.
      await sql`update blobs set purge_not_before = purge_not_before - ${20 * minute} * interval '1 millisecond'`
    }
    const runs = await bench.runsOf(tenant.admin)
    const failed = runs.filter(({ state }) => state === 'FAILED')
    expect(failed).toHaveLength(12)
    expect(failed.every(({ message }) => String(message).includes('gave no usable answer'))).toBe(true)

    await service.bucket.start()
    expect(await commit(service, tenant.member, sent.id)).toMatchObject({ __typename: 'CommitUploadSuccess' })
    await sql`update blobs set purge_not_before = now() where purge_not_before is not null`
    expect((await service.sweep(tenant.id, 'DELETE_BLOBS')).tally).toMatchObject({ examined: 2, deleted: 2 })
    expect((await bench.reconcile(tenant.id)).tally).toMatchObject({ examined: 2, found: none })
    expect((await service.sweep(tenant.id, 'VERIFY')).tally).toMatchObject({ examined: 2, found: none })
    for (const { objectKey } of released) expect(await contentOf(service, objectKey)).toBeNull()
    expect(await contentOf(service, kept.objectKey)).toBe(kept.content)
    expect(await violationsIn(service, tenant)).toEqual([])
  })
})

describe('during a reconcile of many pages', () => {
  it('a new upload is neither an orphan nor missing', async () => {
    const { service } = bench
    for (let at = 0; at < 6; at += 1) await uploadFile(service, tenant.member, { name: `before ${at}.txt` })
    service.cleanup.orphanGraceMs = 0
    const upload = { isOver: false }
    const uploading = Array.from({ length: 3 }, async () => {
      let uploaded = 0
      for (; !upload.isOver; uploaded += 1) await uploadFile(service, tenant.member)
      return uploaded
    })
    for (const pageKeys of [1, 2, 3]) {
      const { ended, tally } = await bench.reconcile(tenant.id, pageKeys)
      expect(ended).toBeNull()
      expect(tally).toMatchObject({ deleted: 0, found: none })
    }
    upload.isOver = true
    const uploaded = await Promise.all(uploading)
    expect(Math.min(...uploaded)).toBeGreaterThan(0)
    expect(await bench.orphansOf(tenant.id)).toEqual([])
    expect(await bench.quarantinedOf(tenant.id)).toEqual([])
    expect(await violationsIn(service, tenant)).toEqual([])
  })
})
