import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { BlobStoreUnavailable } from '../../storage/blobStore.ts'
import { purgeFile } from '../sweeps/purge/purgeFile.ts'
import { findingsIn, violationsIn } from './testing/violationsIn.ts'
import { type Furnished, openWorkbench, type Workbench } from './testing/workbench.ts'

let bench: Workbench
let tenant: Furnished
beforeAll(async () => {
  bench = await openWorkbench()
})
afterAll(() => bench.close())

const write = (key: string, text: string) =>
  bench.service.blobs.write(key, new TextEncoder().encode(text), { contentType: 'text/plain' })
const remove = (key: string) => bench.service.blobs.delete([key])
const told = () => violationsIn(bench.service, { tenant })
const remarks = async () =>
  (await findingsIn(bench.service, { tenant })).map(({ severity, invariant, message }) => [
    severity,
    invariant,
    message,
  ])

describe('the bytes of versions', () => {
  it('exist, and missing ones are reported with the files that need them', async () => {
    tenant = await bench.furnish()
    const old = await tenant.blobOf(tenant.kept, 1)
    const trashed = await tenant.blobOf(tenant.trashed)
    await remove(old.key)
    await remove(trashed.key)
    expect(await told()).toEqual([
      `BYTES: The bytes of version 1 of "renamed.txt" (${tenant.kept}) are not there under ${old.key}.`,
      `BYTES: The bytes of version 1 of "trashed.txt" (${tenant.trashed}) are not there under ${trashed.key}.`,
    ])
    expect(await violationsIn(bench.service, { tenant, skipsBucket: true })).toEqual([])
  })

  it('have the committed size', async () => {
    tenant = await bench.furnish()
    await write((await tenant.blobOf(tenant.attached)).key, 'hello and more')
    expect(await told()).toEqual([expect.stringMatching(/^BYTES: .*attached\.txt.* are 14 instead of 5 bytes under /)])
  })

  it('have the committed ETag', async () => {
    tenant = await bench.furnish()
    await write((await tenant.blobOf(tenant.attached)).key, 'HELLO')
    expect(await told()).toEqual([
      expect.stringMatching(/^BYTES: .*attached\.txt.* are not those that were committed under /),
    ])
  })

  it('in quarantine are reported once, with the files that need them', async () => {
    tenant = await bench.furnish()
    const { id, key } = await tenant.blobOf(tenant.attached)
    await remove(key)
    await bench.service.sweep(tenant.id, 'RECONCILE')
    expect(await told()).toEqual([
      `QUARANTINE: The bytes of version 1 of "attached.txt" (${tenant.attached}) are known to be not there.`,
    ])
    await bench.plant(`update blobs set quarantine_reason = 'DIFFERENT' where id = '${id}'`)
    expect(await told()).toEqual([expect.stringMatching(/are known to be not as they were committed\.$/)])
  })

  it('that are being deleted may be missing', async () => {
    tenant = await bench.furnish()
    await remove(`org/${tenant.id}/files/${tenant.released}.txt`)
    expect(await told()).toEqual([])
  })
})

describe('a change during the check', () => {
  const withStore = (store: Partial<Workbench['service']['blobs']>) => {
    const { database, now, cleanup, blobs } = bench.service
    return { database, now, cleanup, blobs: { ...blobs, ...store } }
  }

  it('that releases bytes is noticed before they are reported missing', async () => {
    tenant = await bench.furnish()
    const { key } = await tenant.blobOf(tenant.trashed)
    await remove(key)
    let isPurged = false
    const head = async (asked: string) => {
      if (asked === key && !isPurged) await purgeFile(tenant.ctx, tenant.trashed)
      isPurged ||= asked === key
      return bench.service.blobs.head(asked)
    }
    expect(await violationsIn(withStore({ head }), { tenant })).toEqual([])
  })

  it('that adds a row for a listed object is noticed before it is reported as an orphan', async () => {
    tenant = await bench.furnish()
    const key = `org/${tenant.id}/files/00000000-0000-7000-8000-000000000000.txt`
    await write(key, 'hello')
    const { id } = await tenant.blobOf(tenant.trashed)
    const list: typeof bench.service.blobs.list = async (page) => {
      const truth = await bench.service.blobs.list(page)
      if (page.prefix.startsWith('org/')) await bench.plant(`update blobs set object_key = '${key}' where id = '${id}'`)
      return truth
    }
    const found = await findingsIn(withStore({ list }), { tenant })
    expect(found.filter(({ subject }) => subject.id === key)).toEqual([])
  })
})

describe('an object key', () => {
  it.each([
    ['of another tenant', (other: string, _own: Furnished, blob: string) => `org/${other}/files/${blob}.txt`],
    ['of another blob', (_: string, own: Furnished) => `org/${own.id}/files/${randomUUID()}.txt`],
    ['with more than an extension', (_: string, own: Furnished, blob: string) => `org/${own.id}/files/${blob}.a/b`],
  ])('is reported if it is %s', async (_, keyOf) => {
    const other = await bench.furnish()
    tenant = await bench.furnish()
    const { id } = await tenant.blobOf(tenant.attached)
    const key = keyOf(other.id, tenant, id)
    await write(key, 'hello')
    await bench.plant(`update blobs set object_key = '${key}' where id = '${id}'`)
    expect(await told()).toEqual([`KEY: The blob ${id} has the key of something else: ${key}.`])
    await remove(key)
  })
})

describe('an object without a row', () => {
  it('is a remark while it is new or watched, and a violation when it is overdue', async () => {
    tenant = await bench.furnish()
    const key = `org/${tenant.id}/files/${randomUUID()}.txt`
    await write(key, 'lost')
    expect(await remarks()).toEqual([['INFORMATION', 'ORPHAN', `No row knows the object ${key}, yet.`]])
    await bench.service.sweep(tenant.id, 'RECONCILE')
    expect(await remarks()).toEqual([['INFORMATION', 'ORPHAN', `No row knows the object ${key}, which is watched.`]])
    await bench.plant(`update orphan_objects set first_seen_at = now() - interval '3 days' where object_key = '${key}'`)
    expect(await told()).toEqual([expect.stringMatching(`^ORPHAN: No row knows the object ${key}, since `)])
    await write(key, 'and another')
    expect(await told()).toEqual([])
  })

  it('is found before the first row, after the last, and beside the object of a row', async () => {
    tenant = await bench.furnish()
    const { id } = await tenant.blobOf(tenant.attached)
    const first = `org/${tenant.id}/a/${id}`
    const beside = `org/${tenant.id}/files/${id}.zip`
    const last = `org/${tenant.id}/z\u{1F600}`
    for (const key of [first, beside, last]) await write(key, 'lost')
    expect((await findingsIn(bench.service, { tenant })).map(({ subject }) => subject.id)).toEqual([
      first,
      beside,
      last,
    ])
  })

  it('is a violation under the prefix of an unknown tenant', async () => {
    await Promise.all([bench.furnish(), bench.furnish()])
    const nobody = randomUUID()
    const keys = [`org/${nobody}/files/x.txt`, 'org/0/x', 'org/zzz']
    for (const key of keys) await write(key, 'lost')
    await write(`org/${nobody}/files/y.txt`, 'lost')
    const strange = (await findingsIn(bench.service)).filter((found) => found.tenant === null)
    expect(strange.map(({ severity, subject }) => [severity, subject.id]).sort()).toEqual(
      keys.map((key) => ['VIOLATION', key]).sort(),
    )
    await bench.service.blobs.delete([...keys, `org/${nobody}/files/y.txt`])
  })
})

describe('a bucket in doubt', () => {
  it('is an error if it does not answer, and neither a violation nor a pass', async () => {
    tenant = await bench.furnish()
    await bench.service.bucket.stop()
    await expect(told()).rejects.toThrow(BlobStoreUnavailable)
    expect(await violationsIn(bench.service, { tenant, skipsBucket: true })).toEqual([])
    await bench.service.bucket.start()
    expect(await told()).toEqual([])
  })

  it('is an error if its listing omits existing objects', async () => {
    tenant = await bench.furnish()
    const { service } = bench
    const list: typeof service.blobs.list = (page) =>
      page.prefix.startsWith('org/')
        ? Promise.resolve({ objects: [], continuationToken: null })
        : service.blobs.list(page)
    const lying = {
      database: service.database,
      blobs: { ...service.blobs, list },
      now: service.now,
      cleanup: service.cleanup,
    }
    await expect(violationsIn(lying, { tenant })).rejects.toThrow('The listing leaves out objects that are there.')
  })

  it('is a violation if it belongs to another installation', async () => {
    tenant = await bench.furnish()
    const marker = `filegraph/installation/${randomUUID()}/0000000000000001`
    await write(marker, 'token')
    expect(await told()).toEqual([expect.stringMatching(/^BUCKET: The bucket belongs to another installation/)])
    await remove(marker)
    expect(await told()).toEqual([])
  })
})
