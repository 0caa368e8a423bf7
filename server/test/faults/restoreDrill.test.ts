import type postgres from 'postgres'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { attachFile } from '../../src/domain/files/attachments/attachments.ts'
import { findingsIn } from '../../src/domain/fsck/testing/violationsIn.ts'
import { acceptBucket } from '../../src/domain/installation/acceptBucket.ts'
import { advanceMarker } from '../../src/domain/installation/bucketMarker.ts'
import { startTestService, type TestService, type TestTenant, uploadFile } from '../testService.ts'
import {
  copyDatabase,
  type DatabaseCopy,
  listTenantObjects,
  openOtherBucket,
  type Parts,
  putBack,
  sweepEverything,
  sweepWith,
} from './drill.ts'
import { openSuperuser, plainId, type PlantedFile, plantFile, plantReleased } from './plantFile.ts'
import { owner } from './scene.ts'

let service: TestService
let tenant: TestTenant
let sql: postgres.Sql
const open: { close(): Promise<void> }[] = []

/** The state before the hour: a file, one that is purged in that hour, and one whose bytes were released. */
let kept: PlantedFile
let doomed: PlantedFile
let released: PlantedFile

beforeEach(async () => {
  service = await startTestService()
  Object.assign(service.cleanup, { orphanGraceMs: 0, purgeGraceMs: 0 })
  tenant = await service.createTenant()
  sql = openSuperuser(service)
  kept = await plantFile(service, tenant, sql)
  doomed = await plantFile(service, tenant, sql)
  released = await plantReleased(service, tenant, sql)
  await advanceMarker(service)
  await sql.end()
})

afterEach(async () => {
  await sql.end()
  for (const part of open.splice(0).reverse()) await part.close()
  await service.close()
})

const keep = <T extends { close(): Promise<void> }>(part: T): T => {
  open.push(part)
  return part
}

/** Uploads, a new version, an attachment, and a file that is purged with its bytes; answers with the new keys. */
async function liveForAnHour(): Promise<string[]> {
  sql = openSuperuser(service)
  const added = await plantFile(service, tenant, sql)
  const fileId = Buffer.from(`File:${kept.fileId}`).toString('base64url')
  const second = await uploadFile(service, tenant.member, { fileId, content: 'a second version' })
  await attachFile(service.contextOf(tenant.member), plainId(second.id), owner)
  const ask = (verb: string) =>
    service.ask(tenant.admin, `mutation ($id: ID!) { ${verb}(input: { id: $id }) { __typename } }`, {
      id: Buffer.from(`File:${doomed.fileId}`).toString('base64url'),
    })
  await ask('deleteFile')
  await ask('purgeFile')
  await sql`update blobs set deleting_since = now() - interval '1 hour' where status = 'deleting'`
  // What was released before the hour stays, so that the old database still wants to delete it.
  await sql`update blobs set purge_not_before = now() + interval '1 day' where id = ${released.blobId}`
  expect(await service.sweep(tenant.id, 'DELETE_BLOBS')).toMatchObject({ ended: null, tally: { deleted: 1 } })
  for (let minute = 0; minute < 5; minute += 1) await advanceMarker(service)
  const keys = await sql`select object_key from blobs b join file_versions v on v.blob_id = b.id
    where v.file_id = ${added.fileId} or (v.file_id = ${kept.fileId} and v.version = 2)`
  return keys.map((row) => String(row['object_key'])).sort()
}

/** Every run is made; those that could delete something in the bucket are refused, and it stays as it is. */
async function expectAllRefused(parts: Parts, because: RegExp): Promise<void> {
  const before = await listTenantObjects(parts.blobs)
  const { DELETE_BLOBS, RECONCILE, VERIFY, ABORT_UPLOADS } = await sweepEverything(service, parts, tenant.id)
  expect([DELETE_BLOBS, RECONCILE, VERIFY, ABORT_UPLOADS]).toEqual(
    Array.from({ length: 4 }, () => expect.stringMatching(because) as unknown),
  )
  await expect(advanceMarker(parts)).rejects.toThrow(because)
  expect(await listTenantObjects(parts.blobs)).toEqual(before)
}

const told = async (parts: Parts) => {
  const { database, blobs } = parts
  const found = await findingsIn({ database, blobs, now: service.now, cleanup: service.cleanup })
  return found.map(({ invariant, subject }) => `${invariant} ${subject.type} ${subject.id}`).sort()
}

const reconcile = (parts: Parts) =>
  sweepWith(service, parts, tenant.id, 'RECONCILE').then(({ ended, tally: { found, deleted } }) => ({
    ended,
    found,
    deleted,
  }))

describe('a database that was restored to an hour ago', () => {
  let old: DatabaseCopy
  let newKeys: string[]
  const parts = () => ({ database: old.database, blobs: service.blobs, now: service.now })

  beforeEach(async () => {
    old = keep(await copyDatabase(service))
    newKeys = await liveForAnHour()
  })

  it('deletes nothing, whatever is run', async () => {
    await expectAllRefused(parts(), /older than the bucket/)
    const [row] = await old.sql`select array_agg(distinct state order by state) as states from cleanup_runs
      where kind in ('DELETE_BLOBS', 'RECONCILE') and created_at > now() - interval '5 minutes'`
    expect(row).toEqual({ states: ['REFUSED'] })
  })

  it('reports exactly the objects that it does not know, and the rows without bytes', async () => {
    const mismatch = await told(parts())
    expect(mismatch.filter((line) => line.startsWith('ORPHAN'))).toEqual(newKeys.map((key) => `ORPHAN object ${key}`))
    expect(mismatch.filter((line) => line.startsWith('BYTES'))).toEqual([`BYTES blob ${doomed.blobId}`])
    expect(mismatch.filter((line) => line.startsWith('BUCKET'))).toHaveLength(1)
    expect(mismatch).toHaveLength(newKeys.length + 2)
  })

  it('continues after an operator has accepted the bucket, and then reports both', async () => {
    Object.assign(service.cleanup, { orphanGraceMs: 86_400_000 })
    const before = await listTenantObjects(service.blobs)
    await acceptBucket(parts())
    expect(await reconcile(parts())).toEqual({ ended: null, found: { orphan: 2, missing: 1 }, deleted: 0 })
    expect(await listTenantObjects(service.blobs)).toEqual(before)
    const quarantined = await old.sql`select id from blobs where quarantine_reason = 'MISSING'`
    expect(quarantined.map((row) => String(row['id']))).toEqual([doomed.blobId])
    // From then on it is the other database that does not belong to this bucket any more.
    await expectAllRefused(service, /older than the bucket/)
  })
})

describe('a bucket', () => {
  it('that was restored to an hour ago makes every run refuse, and what is missing is reported', async () => {
    const before = keep(await openOtherBucket(service, 'copy'))
    const newKeys = await liveForAnHour()
    await putBack(service.bucket, before.folder)
    const mismatch = await told(service)
    expect(mismatch.filter((line) => line.startsWith('BYTES'))).toHaveLength(newKeys.length)
    expect(mismatch.filter((line) => line.startsWith('ORPHAN'))).toEqual([`ORPHAN object ${doomed.objectKey}`])
    await expectAllRefused(service, /bucket is older than the database/)
    Object.assign(service.cleanup, { orphanGraceMs: 86_400_000 })
    await acceptBucket(service)
    expect(await reconcile(service)).toEqual({ ended: null, found: { orphan: 1, missing: 2 }, deleted: 0 })
  })

  it('that is another one makes every run refuse', async () => {
    const { blobs } = keep(await openOtherBucket(service, 'empty'))
    await blobs.write(kept.objectKey, new TextEncoder().encode(kept.content), { contentType: 'text/plain' })
    await blobs.write(released.objectKey, new TextEncoder().encode(released.content), { contentType: 'text/plain' })
    await expectAllRefused({ database: service.database, blobs, now: service.now }, /no marker of this installation/)
  })

  it('of another installation makes every run refuse', async () => {
    const other = await startTestService()
    keep(other)
    await advanceMarker(other)
    await expectAllRefused(
      { database: service.database, blobs: other.blobs, now: service.now },
      /belongs to another installation/,
    )
    const theirs = { database: other.database, blobs: service.blobs, now: service.now }
    await expect(advanceMarker(theirs)).rejects.toThrow(/belongs to another installation/)
  })

  it('that was emptied makes every run refuse, and no row is deleted for that', async () => {
    const { objects } = await service.blobs.list({ prefix: '' })
    await service.blobs.delete(objects.map(({ key }) => key))
    await expectAllRefused(service, /no marker of this installation/)
    sql = openSuperuser(service)
    expect(await sql`select 1 from blobs`).toHaveLength(3)
  })
})

describe('copies of both that continued separately', () => {
  it('are distinguished, even if they have the same generation', async () => {
    const copy = keep(await copyDatabase(service))
    const { blobs } = keep(await openOtherBucket(service, 'copy'))
    const { now } = service
    const copied = { database: copy.database, blobs, now }
    await expect(advanceMarker(copied)).rejects.toThrow(/restored or copied/)
    await acceptBucket(copied)
    await advanceMarker(service)
    await expectAllRefused({ database: service.database, blobs, now }, /have parted/)
    await expectAllRefused({ database: copy.database, blobs: service.blobs, now }, /have parted/)
    // A person looks at both, and each goes on with its own bucket.
    await acceptBucket(copied)
    await acceptBucket(service)
    expect(await reconcile(copied)).toMatchObject({ ended: null, found: {} })
    expect(await reconcile(service)).toMatchObject({ ended: null, found: {} })
  })
})
