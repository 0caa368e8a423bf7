import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest'
import { answerWith, cutAnswerAfter, delayAnswer, loseReply, refuseWith, rewriteAnswer } from '../storeFaults/faults.ts'
import { isDeletion, isHead, isListing } from '../storeFaults/requests.ts'
import type { Fault, SeenRequest } from '../storeFaults/startStoreProxy.ts'
import type { TestTenant } from '../testService.ts'
import { contentOf, type PlantedFile, plantFile, plantReleased } from './plantFile.ts'
import { none, openReconcileWorkbench, type ReconcileWorkbench } from './reconcileWorkbench.ts'
import { violationsIn } from './violationsIn.ts'

let bench: ReconcileWorkbench
let tenant: TestTenant
let kept: PlantedFile

beforeAll(async () => {
  bench = await openReconcileWorkbench({ behindProxy: true })
  tenant = await bench.service.createTenant()
  kept = await plantFile(bench.service, tenant, bench.sql)
})
afterAll(() => bench.close())
afterEach(() => {
  bench.service.store.clear()
  vi.restoreAllMocks()
})

const plant = () => plantReleased(bench.service, tenant, bench.sql)
const sweep = () => bench.service.sweep(tenant.id, 'DELETE_BLOBS')

async function rowOf({ blobId }: PlantedFile) {
  const [row] = await bench.sql`select status, purge_attempts, purge_claim,
    extract(epoch from purge_not_before - now())::int as wait from blobs where id = ${blobId}`
  return row
}

/** Once a store that failed works again: as if each had waited for as long as it was told to. */
async function drain(): Promise<number> {
  bench.service.store.clear()
  await bench.sql`update blobs set purge_not_before = now()`
  const { tally } = await sweep()
  return tally.deleted
}

/** After all of it: the bytes are gone and recorded as gone once, and the file beside them is as it was. */
async function expectPurged(...files: PlantedFile[]): Promise<void> {
  for (const file of files) {
    expect(await rowOf(file)).toBeUndefined()
    expect(await contentOf(bench.service, file.objectKey)).toBeNull()
    const [told] = await bench.sql`select count(*)::int as count from audit_log
      where action = 'blob.purged' and subject_id = ${file.blobId}`
    expect(told?.['count']).toBe(1)
  }
  expect(await contentOf(bench.service, kept.objectKey)).toBe(kept.content)
  expect((await bench.reconcile(tenant.id)).tally).toMatchObject({ examined: 1, found: none })
  expect(await violationsIn(bench.service, tenant)).toEqual([])
}

describe('a purge keeps the row, tries again later and finishes when', () => {
  const faults: [string, (seen: SeenRequest) => boolean, () => Fault, boolean][] = [
    ['the store refuses to be looked at', isHead, () => refuseWith(503, 'SlowDown'), true],
    ['the answers to its looks are lost', isHead, loseReply, true],
    ['the store is too busy to delete', isDeletion, () => refuseWith(503, 'SlowDown'), true],
    ['the store answers too late', isDeletion, () => delayAnswer(1_200), false],
    ['the store deletes and its answers are lost', isDeletion, loseReply, false],
    ['the store deletes and its answer is cut off', isDeletion, () => cutAnswerAfter(60), false],
    ['an error comes under the status of success', isDeletion, () => refuseWith(200, 'InternalError'), true],
  ]
  it.each(faults)('%s', async (_what, match, fault, staysThere) => {
    const file = await plant()
    bench.service.store.on(match, fault())
    await expect(sweep()).rejects.toThrow('no usable answer')
    const [run] = await bench.runsOf(tenant.admin)
    expect(run).toMatchObject({ kind: 'DELETE_BLOBS', state: 'FAILED', deleted: 0 })
    expect(run.message).toContain('The next run goes on')
    expect(await rowOf(file)).toMatchObject({ status: 'deleting', purge_attempts: 1, purge_claim: null })
    expect((await rowOf(file))?.['wait']).toBeGreaterThan(20)
    expect((await rowOf(file))?.['wait']).toBeLessThanOrEqual(30)
    expect(await violationsIn(bench.service, tenant, true)).toEqual([])
    expect((await sweep()).tally.examined).toBe(0)
    bench.service.store.clear()
    expect((await contentOf(bench.service, file.objectKey)) !== null).toBe(staysThere)
    expect(await drain()).toBe(1)
    await expectPurged(file)
  })

  it('deletes the object although a HEAD reports it missing, before it records the purge', async () => {
    const [file, gone] = [await plant(), await plant()]
    await bench.service.blobs.delete([gone.objectKey])
    const isHeadOfFile = (seen: SeenRequest) => isHead(seen) && seen.url.includes(file.blobId)
    bench.service.store.on(isHeadOfFile, answerWith(404))
    expect((await sweep()).tally).toMatchObject({ examined: 2, deleted: 2, held: none })
    bench.service.store.clear()
    await expectPurged(file, gone)
  })

  it('keeps the row when a HEAD reports the object missing and the DELETE fails', async () => {
    const file = await plant()
    bench.service.store.on(isHead, answerWith(404))
    bench.service.store.on(isDeletion, refuseWith(503, 'SlowDown'))
    await expect(sweep()).rejects.toThrow('no usable answer')
    expect(await rowOf(file)).toMatchObject({ status: 'deleting', purge_attempts: 1, purge_claim: null })
    expect(await drain()).toBe(1)
    await expectPurged(file)
  })

  it('the marker cannot be read: nothing is claimed', async () => {
    const file = await plant()
    bench.service.store.on(isListing, refuseWith(503, 'SlowDown'))
    await expect(sweep()).rejects.toThrow('no usable answer')
    expect(await rowOf(file)).toMatchObject({ purge_attempts: 0, purge_claim: null, wait: null })
    expect(await drain()).toBe(1)
    await expectPurged(file)
  })

  it('some of the objects are refused: the others are deleted', async () => {
    const [stuck, other] = [await plant(), await plant()]
    const refused = `<Error><Key>${stuck.objectKey}</Key><Code>AccessDenied</Code><Message>No</Message></Error>`
    const isOfStuck = `<Deleted><Key>${stuck.objectKey}</Key></Deleted>`
    bench.service.store.on(
      isDeletion,
      rewriteAnswer((xml) => xml.replace(isOfStuck, refused)),
    )
    const { tally } = await sweep()
    expect(tally).toMatchObject({ examined: 2, deleted: 1, held: { STORE: 1 } })
    expect(await rowOf(stuck)).toMatchObject({ status: 'deleting', purge_attempts: 1, purge_claim: null })
    expect(await rowOf(other)).toBeUndefined()
    expect(await drain()).toBe(1)
    await expectPurged(stuck, other)
  })

  it('its requests took longer than its lease: it deletes nothing', async () => {
    const file = await plant()
    const deletions = bench.service.store.requests.filter(({ method }) => method === 'POST').length
    const { now } = performance
    let late = 0
    vi.spyOn(performance, 'now').mockImplementation(() => now.call(performance) + late)
    bench.service.store.on(isHead, (passage) => {
      late = 200_000
      return passage.pass()
    })
    await expect(sweep()).rejects.toThrow('The lease of this run is over')
    expect(bench.service.store.requests.filter(({ method }) => method === 'POST')).toHaveLength(deletions)
    expect(await contentOf(bench.service, file.objectKey)).toBe(file.content)
    expect(await drain()).toBe(1)
    await expectPurged(file)
  })
})
