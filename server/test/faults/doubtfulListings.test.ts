import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { acceptBucket } from '../../src/domain/installation/acceptBucket.ts'
import { advanceMarker, assertOwnBucket } from '../../src/domain/installation/bucketMarker.ts'
import { afterRequests, answerWith, cutAnswerAfter, refuseWith } from '../storeFaults/faults.ts'
import {
  emptyListing,
  endingTooSoon,
  ofAnotherBucket,
  rewriteListing,
  samePageForEver,
  truncatedWithoutToken,
  withoutKeys,
} from '../storeFaults/listings.ts'
import { isListing } from '../storeFaults/requests.ts'
import type { Fault, SeenRequest } from '../storeFaults/startStoreProxy.ts'
import { type TestTenant, uploadFile } from '../testService.ts'
import { openReconcileWorkbench, type ReconcileWorkbench } from './reconcileWorkbench.ts'

let bench: ReconcileWorkbench
let tenant: TestTenant
let keys: string[]
let orphan: string

/** Less than any id that is made now, so that its key comes first. */
const firstId = '00000000-0000-7000-8000-000000000000'

/** A tenant with six files, and an object that no row knows and that has been watched for long enough. */
beforeAll(async () => {
  bench = await openReconcileWorkbench({ behindProxy: true })
  tenant = await bench.service.createTenant()
  for (let at = 1; at <= 6; at += 1) await uploadFile(bench.service, tenant.member, { name: `${at}.txt` })
  keys = (await bench.sql`select object_key from blobs order by id`).map((row) => String(row['object_key']))
  ;[orphan = ''] = await bench.putOrphans(tenant.id, [firstId])
  await bench.reconcile(tenant.id, 2)
  await bench.watchedFor(2 * 86_400_000)
  bench.ahead.milliseconds = 3_600_000
})
afterAll(() => bench.close())
beforeEach(() => bench.service.store.clear())

const isOfTenant = (seen: SeenRequest) => isListing(seen) && seen.url.includes('prefix=org')
const isOfMarkers = (seen: SeenRequest) => isListing(seen) && seen.url.includes('prefix=filegraph')

/** What must hold whatever the store said. */
async function expectNothingDone(state: 'REFUSED' | 'FAILED', message: RegExp): Promise<void> {
  await bench.reconcile(tenant.id, 2).catch(() => undefined)
  bench.service.store.clear()
  const [run] = await bench.runsOf(tenant.admin)
  expect(run).toMatchObject({ kind: 'RECONCILE', state, deleted: 0, message: expect.stringMatching(message) })
  expect(await bench.quarantinedOf(tenant.id)).toEqual([])
  expect(await bench.orphansOf(tenant.id)).toEqual([orphan])
  for (const key of [orphan, ...keys]) expect(await bench.service.blobs.head(key)).not.toBeNull()
}

const noUsableAnswer = /gave no usable answer/

describe('a reconcile deletes nothing and quarantines no file when the listing', () => {
  const doubtful: [string, () => Fault, 'REFUSED' | 'FAILED', RegExp][] = [
    ['is empty although there are files', () => answerWith(200, emptyListing('files', 'org/')), 'REFUSED', /is empty/],
    ['fails on its third page', () => afterRequests(2, refuseWith(503, 'SlowDown')), 'FAILED', noUsableAnswer],
    ['is cut off without a token', truncatedWithoutToken, 'FAILED', noUsableAnswer],
    ['names one page forever', () => samePageForEver('same'), 'FAILED', noUsableAnswer],
    ['is one page under ever new tokens', () => samePageForEver('new'), 'REFUSED', /not in order, or repeats/],
    ['is of another bucket', () => ofAnotherBucket('other'), 'FAILED', noUsableAnswer],
    ['ends too soon', endingTooSoon, 'REFUSED', /leaves out objects/],
    ['leaves out a key', () => withoutKeys((key) => key === keys[3]), 'REFUSED', /leaves out objects/],
    [
      'leaves out all but the orphan',
      () => withoutKeys((key) => key !== orphan),
      'REFUSED',
      /leaves out|goes on without/,
    ],
    [
      'is of another tenant',
      () => rewriteListing((xml) => xml.replaceAll(tenant.id, tenant.id.replaceAll(/[0-9a-f]/g, '1'))),
      'FAILED',
      noUsableAnswer,
    ],
    ['is cut off in its middle', () => cutAnswerAfter(500), 'FAILED', noUsableAnswer],
    ['is an error under the status of success', () => refuseWith(200, 'InternalError'), 'FAILED', noUsableAnswer],
    ['is the page of a proxy', () => answerWith(200, '<html><body>Welcome</body></html>'), 'FAILED', noUsableAnswer],
    ['is nothing at all', () => answerWith(200, ''), 'FAILED', noUsableAnswer],
  ]
  it.each(doubtful)('%s', async (_what, fault, state, message) => {
    bench.service.store.on(isOfTenant, fault())
    await expectNothingDone(state, message)
  })

  it('omits a file that was committed a moment ago, which is not a reason to refuse the listing', async () => {
    bench.ahead.milliseconds = 0
    const fresh = await bench.service.createTenant()
    await uploadFile(bench.service, fresh.member)
    await bench.put(`org/${fresh.id}/zzz`)
    const isWhole = (seen: SeenRequest) => isOfTenant(seen) && !seen.url.includes('%2Ffiles%2F')
    const leaveOutFiles = withoutKeys((key) => key.includes('/files/'))
    bench.service.store.on(isWhole, leaveOutFiles)
    const { ended, tally } = await bench.reconcile(fresh.id)
    expect(ended).toBeNull()
    expect(tally).toMatchObject({ examined: 1, found: { orphan: 1 } })
    expect(await bench.quarantinedOf(fresh.id)).toEqual([])
    bench.ahead.milliseconds = 3_600_000
  })
})

describe('no sweep deletes anything when the marker of the bucket', () => {
  const accept = () => acceptBucket(bench.service)

  it('is missing, until an operator accepts the bucket', async () => {
    const { objects } = await bench.service.blobs.list({ prefix: 'filegraph/' })
    await bench.service.blobs.delete(objects.map(({ key }) => key))
    await expectNothingDone('REFUSED', /no marker of this installation/)
    await accept()
  })

  it('is missing in the listing', async () => {
    bench.service.store.on(isOfMarkers, answerWith(200, emptyListing('files', 'filegraph/installation/')))
    await expectNothingDone('REFUSED', /no marker of this installation/)
  })

  it('is of another installation', async () => {
    const stranger = `filegraph/installation/${crypto.randomUUID()}/0000000000000001`
    await bench.put(stranger, crypto.randomUUID())
    await expectNothingDone('REFUSED', /belongs to another installation/)
    await bench.service.blobs.delete([stranger])
    await expectNothingDone('REFUSED', /objected to all deletes/)
    await accept()
  })

  it('cannot be parsed', async () => {
    await bench.put('filegraph/installation/readme.txt')
    await expectNothingDone('REFUSED', /cannot be understood/)
    await bench.service.blobs.delete(['filegraph/installation/readme.txt'])
  })

  it.each(['{"token":7,"writer":null}', '{"writer":null}', '[]'])('contains no token but %s', async (content) => {
    const { objects } = await bench.service.blobs.list({ prefix: 'filegraph/installation/' })
    const newest = objects.at(-1)!.key
    await bench.service.blobs.delete([newest])
    await bench.put(newest, content)
    await expectNothingDone('REFUSED', /parted/)
    await accept()
  })

  it.each(['', 'null', '{"finding":"AHEAD"}'])('is right, and a veto beside it contains %s', async (content) => {
    const veto = `filegraph/veto/${crypto.randomUUID()}/1`
    await bench.put(veto, content)
    await expectNothingDone('REFUSED', /veto .* cannot be understood/)
    await bench.service.blobs.delete([veto])
  })

  it('is ahead of the database, or behind it, or has another token', async () => {
    await bench.sql`update installation set generation = generation - 1`
    await expectNothingDone('REFUSED', /database is older than the bucket/)
    await bench.sql`update installation set generation = generation + 2`
    await expectNothingDone('REFUSED', /bucket is older than the database/)
    await bench.sql`update installation set generation = generation - 1, token = gen_random_uuid()`
    await expectNothingDone('REFUSED', /have parted/)
    await accept()
  })

  it('cannot be read', async () => {
    bench.service.store.on(isOfMarkers, refuseWith(403, 'AccessDenied'))
    await expectNothingDone('FAILED', noUsableAnswer)
  })
})

it('a marker that another process advances during the check is not a doubt', async () => {
  const { database, blobs, now } = bench.service
  let advances = 3
  const list: typeof blobs.list = async (options) => {
    advances -= 1
    if (advances >= 0) await advanceMarker(bench.service)
    return blobs.list(options)
  }
  const before = await assertOwnBucket(bench.service)
  const after = await assertOwnBucket({ database, now, blobs: { ...blobs, list } })
  expect(after.installation.generation).toBe(before.installation.generation + 3)
})

it('after all of these the orphan is deleted, and every file is unchanged', async () => {
  const { ended, tally } = await bench.reconcile(tenant.id, 2)
  expect(ended).toBeNull()
  expect(tally).toMatchObject({ examined: 7, deleted: 1, found: { orphan: 1 } })
  for (const key of keys) expect(await bench.service.blobs.head(key)).not.toBeNull()
})
