import { openSync, readdirSync, readSync, writeSync, closeSync } from 'node:fs'
import { join } from 'node:path'
import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemPrincipal } from '../../src/domain/context.ts'
import { listTenantsWithStaleUploads } from '../../src/domain/sweeps/expire/abortStaleUploads.ts'
import { recordRun, usualRun } from '../../src/domain/sweeps/runs/recordRun.ts'
import { sweepOf } from '../../src/jobs/sweeps.ts'
import { createS3Client } from '../../src/storage/s3/s3Client.ts'
import { sha256, type TestTenant, uploadFile } from '../testService.ts'
import { type PlantedFile, plainId } from './plantFile.ts'
import { none, openReconcileWorkbench, type ReconcileWorkbench } from './reconcileWorkbench.ts'

let bench: ReconcileWorkbench
let tenant: TestTenant

beforeAll(async () => {
  bench = await openReconcileWorkbench()
  tenant = await bench.service.createTenant()
})
afterAll(() => bench.close())

const verify = (isDryRun = false) => bench.service.sweep(tenant.id, 'VERIFY', { isDryRun })

/** With a proved SHA-256. */
async function plant(content: string): Promise<PlantedFile> {
  const { id } = await uploadFile(bench.service, tenant.member, { content, sha256: sha256(content) })
  const fileId = plainId(id)
  const [blob] = await bench.sql`select b.id, b.object_key as key from blobs b join file_versions v on v.blob_id = b.id
    where v.file_id = ${fileId}`
  return { fileId, blobId: String(blob?.['id']), objectKey: String(blob?.['key']), content }
}

/** Changes the first byte where the bucket keeps it: whatever the store says of the object stays as it was. */
function flipByteOf({ blobId }: PlantedFile): void {
  const { folder } = bench.service.bucket
  const name = readdirSync(folder, { recursive: true }).find((path) => String(path).includes(blobId))
  const file = openSync(join(folder, String(name)), 'r+')
  const byte = Buffer.alloc(1)
  readSync(file, byte, 0, 1, 0)
  writeSync(file, Buffer.from([(byte[0] ?? 0) ^ 1]), 0, 1, 0)
  closeSync(file)
}

describe('the verification of a sample', () => {
  it('finds one flipped byte that a listing cannot show, and lifts the quarantine when it is repaired', async () => {
    const file = await plant('one byte of this will be another')
    await plant('and nothing of this')
    expect((await verify()).tally).toMatchObject({ examined: 2, found: none })
    flipByteOf(file)
    expect((await bench.reconcile(tenant.id)).tally.found).toEqual({})
    expect((await verify(true)).tally.found).toEqual({ different: 1 })
    expect(await bench.quarantinedOf(tenant.id)).toEqual([])
    expect((await verify()).tally).toMatchObject({ examined: 2, found: { different: 1 } })
    expect(await bench.quarantinedOf(tenant.id)).toEqual([file.objectKey])
    expect((await verify()).tally.found).toEqual({ different: 1 })
    flipByteOf(file)
    expect((await verify()).tally.found).toEqual({ returned: 1 })
    expect(await bench.quarantinedOf(tenant.id)).toEqual([])
  })

  it('is not undone by a reconcile, which reads no bytes', async () => {
    const file = await plant('damaged, of the same size and etag')
    flipByteOf(file)
    await verify()
    expect(await bench.quarantinedOf(tenant.id)).toEqual([file.objectKey])
    await bench.reconcile(tenant.id)
    expect(await bench.quarantinedOf(tenant.id)).toEqual([file.objectKey])
    flipByteOf(file)
    expect((await verify()).tally.found).toEqual({ returned: 1 })
  })

  it('finds an object that is missing or of another size', async () => {
    const gone = await plant('soon gone')
    const shorter = await plant('soon shorter')
    await bench.service.blobs.delete([gone.objectKey])
    await bench.put(shorter.objectKey, 'soon')
    expect((await verify()).tally.found).toEqual({ missing: 1, different: 1 })
    expect(new Set(await bench.quarantinedOf(tenant.id))).toEqual(new Set([gone.objectKey, shorter.objectKey]))
    await bench.put(gone.objectKey, gone.content)
    await bench.put(shorter.objectKey, shorter.content)
    expect((await verify()).tally.found).toEqual({ returned: 2 })
    expect(await bench.quarantinedOf(tenant.id)).toEqual([])
  })

  it('examines as many as configured, and each eventually', async () => {
    const all = await bench.sql`select id from blobs where tenant_id = ${tenant.id}`
    bench.service.cleanup.verifiedBlobs = 2
    expect((await verify()).tally.examined).toBe(2)
    expect(all.length).toBeGreaterThan(2)
    bench.service.cleanup.verifiedBlobs = 20
    expect((await verify()).tally.examined).toBe(all.length)
  })

  it('finds nothing to examine in a tenant without files', async () => {
    const empty = await bench.service.sweep((await bench.service.createTenant()).id, 'VERIFY')
    expect(empty.tally).toMatchObject({ examined: 0, found: none })
  })
})

/** Nothing of the product begins a multipart upload: it takes a client of its own. */
function clientOptions() {
  const signed = { key: 'x', contentDisposition: '', contentType: '', expiresInSeconds: 60, now: new Date() }
  const { origin: endpoint } = new URL(bench.service.blobs.signDownload(signed))
  const keys = { accessKeyId: 'TESTKEY', secretAccessKey: 'test-secret-test-secret' }
  return { endpoint, bucket: 'files', region: 'us-east-1', forcePathStyle: true, ...keys }
}

it('unfinished multipart uploads are aborted after a week, younger ones and those of others stay', async () => {
  const { service } = bench
  const client = createS3Client(clientOptions())
  const begin = async (key: string) => {
    const { UploadId } = await client.send(new CreateMultipartUploadCommand({ Bucket: 'files', Key: key }))
    return String(UploadId)
  }
  const unfinished = async (prefix: string) =>
    (await service.blobs.listUnfinishedUploads(prefix)).uploads.map(({ uploadId }) => uploadId)
  const mine = `org/${tenant.id}/`
  const others = `org/${crypto.randomUUID()}/`
  const [upload, foreign] = [await begin(`${mine}files/some`), await begin(`${others}files/some`)]
  client.destroy()

  const sweepAfter = (milliseconds: number, isDryRun = false) => {
    const now = () => new Date(Date.now() + milliseconds)
    const ctx = { ...service.contextOf(systemPrincipal(tenant.id)), now, settings: service.cleanup }
    return recordRun(ctx, 'ABORT_UPLOADS', { ...usualRun, isDryRun }, sweepOf('ABORT_UPLOADS').sweep)
  }
  const week = 7 * 86_400_000
  const tenantsAfter = (milliseconds: number) =>
    listTenantsWithStaleUploads({
      database: service.database,
      blobs: service.blobs,
      now: () => new Date(Date.now() + milliseconds),
    })
  expect(await tenantsAfter(week - 60_000)).toEqual([])
  // Of others nothing is queued: this database does not know the tenant.
  expect(await tenantsAfter(week + 60_000)).toEqual([tenant.id])
  for (const age of [0, week - 60_000]) {
    expect((await sweepAfter(age)).tally).toMatchObject({ examined: 1, deleted: 0, held: { GRACE: 1 } })
  }
  expect((await sweepAfter(week + 60_000, true)).tally).toMatchObject({ examined: 1, deleted: 1, held: none })
  expect(await unfinished(mine)).toEqual([upload])
  expect((await sweepAfter(week + 60_000)).tally).toMatchObject({ examined: 1, deleted: 1, held: none })
  expect(await unfinished(mine)).toEqual([])
  expect(await unfinished(others)).toEqual([foreign])
})
