import { randomUUID } from 'node:crypto'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemPrincipal } from '../../src/domain/context.ts'
import { type Outcome, recordRun, usualRun } from '../../src/domain/sweeps/runs/recordRun.ts'
import { sweepOf } from '../../src/jobs/sweeps.ts'
import { BlobStoreUnavailable, type BlobStore } from '../../src/storage/blobStore.ts'
import { helloEtag, newIds, openReconcileWorkbench, type ReconcileWorkbench } from './reconcileWorkbench.ts'

let bench: ReconcileWorkbench

beforeAll(async () => {
  bench = await openReconcileWorkbench()
})
afterAll(() => bench.close())

/** The keys of one tenant held in memory, in pages of any size; everything else is the real bucket's. */
function bucketOf(keys: readonly string[], pageKeys: number, failsOnPage = Infinity): BlobStore {
  const ordered = keys.toSorted((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
  const objectOf = (key: string) => ({ key, byteSize: 5, etag: helloEtag, lastModified: new Date(), contentType: '' })
  let pages = 0
  return {
    ...bench.service.blobs,
    head: async (key) =>
      keys.includes(key) ? { ...objectOf(key), contentEncoding: null, sha256: null, installation: null } : null,
    list: async (options) => {
      const { prefix, startAfter = '', continuationToken } = options
      if (!prefix.startsWith('org/')) return bench.service.blobs.list(options)
      pages += 1
      if (pages >= failsOnPage) throw new BlobStoreUnavailable('as told')
      const after = Buffer.from(continuationToken ?? startAfter)
      const left = ordered.filter((key) => key.startsWith(prefix) && Buffer.compare(Buffer.from(key), after) > 0)
      const page = left.slice(0, pageKeys)
      return { objects: page.map(objectOf), continuationToken: left.length > pageKeys ? (page.at(-1) ?? null) : null }
    },
  }
}

function reconcile(tenantId: string, blobs: BlobStore): Promise<Outcome> {
  const ctx = { ...bench.service.contextOf(systemPrincipal(tenantId)), blobs, settings: bench.service.cleanup }
  return recordRun(ctx, 'RECONCILE', usualRun, sweepOf('RECONCILE').sweep)
}

/** What one blob id has: a row or none, objects under names made of it, and strange names beside it. */
const blobAtHand = fc.record({
  hasRow: fc.boolean(),
  hasObject: fc.boolean(),
  more: fc.array(fc.constantFrom('.png', '', '.txt.bak'), { maxLength: 2 }),
})
const strangeNames = fc.uniqueArray(
  fc.constantFrom(
    'aaa',
    'files',
    'files/',
    'files/0',
    'files/x',
    'files/~',
    'files/ü',
    'files0',
    'zzz',
    '\u{1F4C4}',
    '\uFFFD',
  ),
)

describe('the merge of listing and rows', () => {
  it('finds the same as a comparison of two sets, for any page size and any failing page', async () => {
    const cases = fc.record({
      blobs: fc.array(blobAtHand, { minLength: 1, maxLength: 12 }),
      strange: strangeNames,
      pageKeys: fc.integer({ min: 1, max: 5 }),
      failsOnPage: fc.integer({ min: 1, max: 8 }),
    })
    await fc.assert(fc.asyncProperty(cases, compareWithSets), { numRuns: 15 })
  })

  async function compareWithSets(all: {
    readonly blobs: readonly {
      readonly hasRow: boolean
      readonly hasObject: boolean
      readonly more: readonly string[]
    }[]
    readonly strange: readonly string[]
    readonly pageKeys: number
    readonly failsOnPage: number
  }) {
    const tenantId = randomUUID()
    const prefix = `org/${tenantId}/`
    const keyOf = (id: string) => `${prefix}files/${id}.txt`
    const blobs = newIds(all.blobs.length).map((id, at) => ({ id, ...all.blobs[at]! }))
    const rows = blobs.filter(({ hasRow }) => hasRow)
    await bench.plantRows(
      tenantId,
      rows.map(({ id }) => id),
    )
    const objects = new Set([
      ...all.strange.map((name) => prefix + name),
      ...blobs.filter(({ hasObject }) => hasObject).map(({ id }) => keyOf(id)),
      ...blobs.flatMap(({ id, more }) => more.map((ending) => `${prefix}files/${id}${ending}`)),
    ])
    const rowKeys = new Set(rows.map(({ id }) => keyOf(id)))
    const keys = [...objects]

    const whole = await reconcile(tenantId, bucketOf(keys, all.pageKeys, all.failsOnPage)).catch(() => null)
    const { ended, tally } = await reconcile(tenantId, bucketOf(keys, all.pageKeys))
    if (objects.size === 0 && rows.length > 0) {
      expect(ended).toContain('empty')
      return
    }
    expect(ended).toBeNull()
    if (whole) expect(tally.examined).toBe(objects.size)
    expect(new Set(await bench.orphansOf(tenantId))).toEqual(without(objects, rowKeys))
    expect(new Set(await bench.quarantinedOf(tenantId))).toEqual(without(rowKeys, objects))
  }

  const without = (some: ReadonlySet<string>, others: ReadonlySet<string>) =>
    new Set([...some].filter((key) => !others.has(key)))

  it('continues after a run that failed on its third page, and the two together see each object once', async () => {
    const tenantId = randomUUID()
    const keys = await bench.plantRows(tenantId, newIds(20))
    const strangers = ['aaa', 'files/x', 'zzz'].map((name) => `org/${tenantId}/${name}`)
    const all = [...keys.filter((_key, at) => at % 3 !== 0), ...strangers]
    const failing = bucketOf(all, 4, 3)
    await expect(reconcile(tenantId, failing)).rejects.toThrow('as told')
    await expect(reconcile(tenantId, bucketOf(all, 4, 1))).rejects.toThrow('as told')
    await reconcile(tenantId, bucketOf(all, 4))
    const runs = await bench.sql`select state, examined::int, found, position from cleanup_runs
      where tenant_id = ${tenantId} order by id`
    const [first, second, third] = runs
    expect(first).toMatchObject({ state: 'FAILED', position: expect.stringContaining('/files/') })
    expect(second).toMatchObject({ state: 'FAILED', examined: 0, position: first?.['position'] })
    expect(third).toMatchObject({ state: 'DONE', position: null })
    expect(first?.['examined'] + third?.['examined']).toBe(all.length)
    expect(first?.['found'].missing + third?.['found'].missing).toBe(7)
    expect(await bench.quarantinedOf(tenantId)).toEqual(keys.filter((_key, at) => at % 3 === 0))
    expect(new Set(await bench.orphansOf(tenantId))).toEqual(new Set(strangers))
  })

  it('uses no more memory for thousands of foreign names after the last blob', async () => {
    const tenantId = randomUUID()
    const [key = ''] = await bench.plantRows(tenantId, newIds(1))
    const strange = Array.from({ length: 6_000 }, (_, at) => `org/${tenantId}/zzz/${String(at).padStart(4, '0')}`)
    const { ended, tally } = await reconcile(tenantId, bucketOf([key, ...strange], 1_000))
    expect(ended).toBeNull()
    expect(tally).toMatchObject({ examined: 6_001, found: { orphan: 6_000 } })
  })

  it('is refused if one blob has thousands of objects', async () => {
    const tenantId = randomUUID()
    const [key = ''] = await bench.plantRows(tenantId, newIds(1))
    const copies = Array.from({ length: 7_000 }, (_, at) => `${key}.${String(at).padStart(4, '0')}`)
    const { ended } = await reconcile(tenantId, bucketOf([key, ...copies], 1_000))
    expect(ended).toContain('One blob has thousands of objects')
  })
})
