import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { systemPrincipal } from '../../src/domain/context.ts'
import { usualCleanup } from '../../src/domain/sweeps/runs/settings.ts'
import { runIfDue } from '../../src/jobs/sweeps.ts'
import { answerWith, changeAnswer, flipByte, refuseWith, shortenAnswer } from '../storeFaults/faults.ts'
import { isRead } from '../storeFaults/requests.ts'
import type { Fault, SeenRequest } from '../storeFaults/startStoreProxy.ts'
import { sha256, type TestTenant, uploadFile } from '../testService.ts'
import { plainId } from './plantFile.ts'
import { none, openReconcileWorkbench, type ReconcileWorkbench } from './reconcileWorkbench.ts'
import { violationsIn } from './violationsIn.ts'

let bench: ReconcileWorkbench
let tenant: TestTenant

beforeAll(async () => {
  bench = await openReconcileWorkbench({ behindProxy: true })
})
afterAll(() => bench.close())
beforeEach(async () => {
  tenant = await bench.service.createTenant()
})
afterEach(() => {
  bench.service.store.clear()
  const { verifiedBlobs, verifiedBytes } = usualCleanup
  Object.assign(bench.service.cleanup, { verifiedBlobs, verifiedBytes })
})

const verify = async (isDryRun = false) => (await bench.service.sweep(tenant.id, 'VERIFY', { isDryRun })).tally

interface Planted {
  readonly id: string
  readonly blobId: string
  readonly key: string
  readonly content: string | Uint8Array
}

async function plant(content: string | Uint8Array): Promise<Planted> {
  const { id } = await uploadFile(bench.service, tenant.member, { content })
  const [blob] = await bench.sql`select b.id, b.object_key as key from blobs b
    join file_versions v on v.blob_id = b.id where v.file_id = ${plainId(id)}`
  return { id, blobId: String(blob?.['id']), key: String(blob?.['key']), content }
}

/** Committed without a SHA-256: too many bytes to be read whole at commit. */
const plantUnproved = (byteSize = 70_000) => plant(randomBytes(byteSize / 2).toString('hex'))

const hashOf = async ({ blobId }: Planted) => {
  const [row] = await bench.sql`select sha256 from blobs where id = ${blobId}`
  return row?.['sha256']
}
const isOf =
  ({ blobId }: Planted) =>
  (seen: SeenRequest) =>
    isRead(seen) && seen.url.includes(blobId)

/** Changes what the bucket keeps, of the same length, and leaves the row as it is. */
const replaceBytes = ({ key }: Planted, content: string | Uint8Array) =>
  bench.service.blobs.write(key, Buffer.from(content), { contentType: 'text/plain' })

describe('verification of bytes that were committed without a SHA-256', () => {
  it('records the hash, and readers of the API see it', async () => {
    const file = await plantUnproved()
    expect(await hashOf(file)).toBeNull()
    expect(await verify(true)).toMatchObject({ examined: 1, found: none })
    expect(await hashOf(file)).toBeNull()
    expect(await verify()).toMatchObject({ examined: 1, found: none })
    const { data } = await bench.service.ask(tenant.viewer, 'query ($id: ID!) { file(id: $id) { sha256 } }', {
      id: file.id,
    })
    expect(data.file.sha256).toBe(sha256(file.content))
    expect(await violationsIn(bench.service, tenant)).toEqual([])
  })

  it('records no hash of a damaged reading', async () => {
    const file = await plantUnproved()
    bench.service.store.on(isOf(file), flipByte(), 1)
    expect((await verify()).found).toEqual({})
    expect(await hashOf(file)).toBe(sha256(file.content))
  })

  it('records none while all readings contradict the ETag', async () => {
    const file = await plantUnproved()
    bench.service.store.on(isOf(file), flipByte())
    expect((await verify()).found).toEqual({ unproven: 1 })
    expect(await hashOf(file)).toBeNull()
    bench.service.store.clear()
    expect((await verify()).found).toEqual({})
    expect(await hashOf(file)).toBe(sha256(file.content))
  })

  it('needs two equal readings, if the ETag is not an MD5', async () => {
    const multipartEtag = () => changeAnswer({ headers: { etag: '"0123456789abcdef0123456789abcdef-2"' } })
    const isObject = (seen: SeenRequest) => seen.url.includes(`/org/${tenant.id}/`) && seen.method !== 'PUT'
    bench.service.store.on(isObject, multipartEtag())
    const file = await plantUnproved()
    bench.service.store.clear()
    const unequal = { etag: '"0123456789abcdef0123456789abcdef-2"' }
    const flipped = changeAnswer({
      headers: unequal,
      body: (body) => Buffer.concat([Buffer.from('?'), body.subarray(1)]),
    })
    bench.service.store.on(isOf(file), flipped, 1)
    bench.service.store.on(isObject, multipartEtag())
    expect((await verify()).found).toEqual({ unproven: 1 })
    expect(await hashOf(file)).toBeNull()
    const before = bench.service.store.requests.length
    expect((await verify()).found).toEqual({})
    const reads = bench.service.store.requests.slice(before).filter(({ path }) => path.includes(file.blobId))
    expect(reads).toHaveLength(2)
    expect(await hashOf(file)).toBe(sha256(file.content))
  })

  it('comes before all others, and continues in the next run', async () => {
    await plant('proved at its commit')
    const files = [await plantUnproved(), await plantUnproved(), await plantUnproved()]
    bench.service.cleanup.verifiedBytes = 100_000
    const hashes = async () => (await Promise.all(files.map(hashOf))).filter((hash) => hash !== null).length
    for (const count of [1, 2, 3]) {
      await verify()
      expect(await hashes()).toBe(count)
    }
    bench.service.cleanup.verifiedBlobs = 1
    const before = bench.service.store.requests.length
    await verify()
    const paths = bench.service.store.requests.slice(before).map(({ path }) => path)
    expect(paths.filter((path) => path.includes('/files/org/'))).toEqual([`/files/${files[0]?.key}`])
  })

  it('also happens if they are more than a run reads', async () => {
    const file = await plantUnproved(200_000)
    await plant('small')
    bench.service.cleanup.verifiedBytes = 1_000
    expect((await verify()).examined).toBe(1)
    expect(await hashOf(file)).toBe(sha256(file.content))
  })
})

describe('verification of large bytes', () => {
  const contentOf = (megabytes: number) => Buffer.alloc(megabytes * 1024 ** 2, randomBytes(501).toString('hex'))

  it('reads more than 64 MiB in ranges of 8 MiB', async () => {
    const content = contentOf(70)
    const file = await plant(content)
    const before = bench.service.store.requests.length
    expect((await verify()).found).toEqual({})
    expect(await hashOf(file)).toBe(sha256(content))
    const reads = bench.service.store.requests.slice(before).filter(({ path }) => path.includes(file.blobId))
    expect(reads).toHaveLength(9)
  }, 120_000)

  it('continues after a range that failed or was truncated, and refuses a mixture of two objects', async () => {
    const content = contentOf(17)
    const file = await plant(content)
    const isRange = (range: string) => (seen: SeenRequest) => isOf(file)(seen) && seen.headers.range === range
    bench.service.store.on(isRange('bytes=0-8388607'), shortenAnswer(1_000), 1)
    bench.service.store.on(isRange('bytes=8388608-16777215'), refuseWith(503, 'SlowDown'), 1)
    expect(await verify()).toMatchObject({ examined: 1, held: none, found: none })
    expect(await hashOf(file)).toBe(sha256(content))
    bench.service.store.on(isRange('bytes=16777216-25165823'), async (passage) => {
      bench.service.store.clear()
      await replaceBytes(file, 'another object')
      await passage.pass()
    })
    await expect(verify()).rejects.toThrow('no usable answer')
    expect(await bench.quarantinedOf(tenant.id)).toEqual([])
    expect((await verify()).found).toEqual({ different: 1 })
  }, 60_000)
})

describe('a single response causes no quarantine', () => {
  const faults: [string, () => Fault][] = [
    ['a flipped byte', flipByte],
    ['an empty body', () => shortenAnswer(0)],
    ['an object that seems to be gone', () => answerWith(404, '<Error><Code>NoSuchKey</Code></Error>')],
    ['another ETag', () => changeAnswer({ headers: { etag: '"0123456789abcdef0123456789abcdef"' } })],
  ]
  it.each(faults)('such as %s', async (_what, fault) => {
    const file = await plant('healthy bytes')
    bench.service.store.on(isOf(file), fault(), 1)
    expect((await verify()).found).toEqual({})
    expect(await bench.quarantinedOf(tenant.id)).toEqual([])
  })

  it('and verification lifts the quarantine of intact bytes', async () => {
    const [proved, unproved] = [await plant('bytes to be damaged'), await plantUnproved()]
    const bytes = Buffer.from(unproved.content)
    await replaceBytes(proved, 'BYTES TO BE DAMAGED')
    await bench.service.blobs.delete([unproved.key])
    expect((await verify()).found).toEqual({ different: 1, missing: 1 })
    expect(new Set(await bench.quarantinedOf(tenant.id))).toEqual(new Set([proved.key, unproved.key]))
    await replaceBytes(proved, proved.content)
    const options = { contentType: 'text/plain', byteSize: bytes.length, expiresInSeconds: 60, now: new Date() }
    const { url, headers } = await bench.service.blobs.signUpload({ key: unproved.key, ...options })
    await fetch(url, { method: 'PUT', headers: headers.map(({ name, value }) => [name, value]), body: bytes })
    expect((await verify()).found).toEqual({ returned: 2 })
    expect(await bench.quarantinedOf(tenant.id)).toEqual([])
    expect(await hashOf(unproved)).toBe(sha256(unproved.content))
    const [told] = await bench.sql`select count(*)::int as count from audit_log
      where tenant_id = ${tenant.id} and action = 'blob.cleared'`
    expect(told?.['count']).toBe(2)
    expect(await violationsIn(bench.service, tenant)).toEqual([])
  })
})

describe('an encoding that is stored with an object', () => {
  it('is found by verification and by fsck, and a reader still gets the verified bytes', async () => {
    const file = await plant('bytes with a foreign label')
    const { url, headers } = await bench.service.blobs.signUpload({
      key: file.key,
      contentType: 'text/plain',
      byteSize: file.content.length,
      expiresInSeconds: 60,
      now: new Date(),
    })
    await bench.service.blobs.delete([file.key])
    const labelled = [...headers, { name: 'content-encoding', value: 'gzip' }]
    const sent = await fetch(url, {
      method: 'PUT',
      headers: labelled.map(({ name, value }) => [name, value]),
      body: String(file.content),
    })
    expect(sent.status).toBe(200)
    expect((await verify()).found).toEqual({ encoded: 1 })
    expect(await violationsIn(bench.service, tenant)).toEqual([expect.stringContaining('content-encoding gzip')])
    const { data } = await bench.service.ask(tenant.viewer, 'query ($id: ID!) { file(id: $id) { downloadUrl } }', {
      id: file.id,
    })
    expect(await (await fetch(data.file.downloadUrl)).text()).toBe(file.content)
  })
})

describe('a store that does not answer', () => {
  it('for one object does not delay the others', async () => {
    const files = [await plant('one'), await plant('two'), await plant('three')]
    bench.service.store.on(isOf(files[0]!), refuseWith(403, 'InvalidObjectState'))
    expect(await verify()).toMatchObject({ examined: 3, held: { STORE: 1 }, found: none })
    expect(await bench.quarantinedOf(tenant.id)).toEqual([])
  })

  it('at all fails the run, which changes nothing', async () => {
    const files = [await plantUnproved(), await plantUnproved()]
    bench.service.store.on(isRead, refuseWith(503, 'SlowDown'))
    await expect(verify()).rejects.toThrow('no usable answer')
    bench.service.store.clear()
    const rows = await bench.sql`select verified_at from blobs where tenant_id = ${tenant.id}`
    expect(rows.map((row) => (row['verified_at'] as Date).getTime())).toEqual([0, 0])
    expect(await verify()).toMatchObject({ examined: 2, held: none })
    for (const file of files) expect(await hashOf(file)).toBe(sha256(file.content))
  })
})

describe('the schedule', () => {
  const run = (aheadMs = 0) => {
    const ctx = bench.service.contextOf(systemPrincipal(tenant.id))
    const now = () => new Date(Date.now() + aheadMs)
    return runIfDue({ ...ctx, now, settings: usualCleanup }, 'VERIFY')
  }
  const day = 86_400_000

  it('verifies bytes without a hash at once, bytes in quarantine after a day, and all others after 90 days', async () => {
    await plant('proved at its commit')
    expect(await run()).toBeNull()
    const unproved = await plantUnproved()
    expect((await run())?.tally.examined).toBe(1)
    expect(await run(day * 2)).toBeNull()
    await bench.service.blobs.delete([unproved.key])
    expect((await run(day * 91))?.tally).toMatchObject({ examined: 2, found: { missing: 1 } })
    expect(await run(day * 91.5)).toBeNull()
    expect((await run(day * 93))?.tally).toMatchObject({ examined: 1, found: { missing: 1 } })
  })

  it('schedules a tenant with nothing to verify for when its bytes are due, and sends no request to the bucket', async () => {
    await plant('proved at its commit')
    const requests = bench.service.store.requests.length
    expect(await run()).toBeNull()
    expect(bench.service.store.requests).toHaveLength(requests)
    const [next] = await bench.sql`select due_at - verified_at = interval '90 days' as "isInTime"
      from sweep_schedule s join blobs b on b.tenant_id = s.tenant_id and s.kind = 'VERIFY' where s.tenant_id = ${tenant.id}
      order by verified_at limit 1`
    expect(next).toEqual({ isInTime: true })
  })

  it('starts no second run beside a running one', async () => {
    await plantUnproved()
    await bench.sql`insert into cleanup_runs (tenant_id, id, kind, state, is_dry_run, exceeds_brake, requested_by,
      created_at, started_at, examined, deleted, deleted_bytes, held, found, sample)
      select tenant_id, gen_random_uuid(), 'VERIFY', 'RUNNING', false, false, id, now(), now(), 0, 0, 0, '{}', '{}', '[]'
      from principals where tenant_id = ${tenant.id} limit 1`
    expect(await run(2 * 3_600_000)).toBeNull()
    await bench.sql`update cleanup_runs set heartbeat_at = now() - interval '2 minutes' where state = 'RUNNING'`
    expect((await run())?.tally.examined).toBe(1)
  })
})
