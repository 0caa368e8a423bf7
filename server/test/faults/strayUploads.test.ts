import { CreateMultipartUploadCommand } from '@aws-sdk/client-s3'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { newId } from '../../src/domain/ids.ts'
import { recordStrayRun, type StrayOptions, usualStrayRun } from '../../src/domain/sweeps/strays/recordStrayRun.ts'
import type { BlobStore } from '../../src/storage/blobStore.ts'
import { createS3Client } from '../../src/storage/s3/s3Client.ts'
import { startTestService, type TestService, type TestTenant } from '../testService.ts'
import { plantHistory, openSuperuser } from './plantFile.ts'

const day = 86_400_000
const week = 7 * day

let service: TestService
let tenant: TestTenant

beforeEach(async () => {
  service = await startTestService()
  Object.assign(service.cleanup, { orphanGraceMs: 0, purgeGraceMs: 0 })
  tenant = await service.createTenant()
})

afterEach(() => service.close())

/** Filegraph begins no multipart uploads, so the test needs a client of its own. */
async function begin(...keys: string[]): Promise<void> {
  const signed = { key: 'x', contentDisposition: '', contentType: '', expiresInSeconds: 60, now: new Date() }
  const { origin: endpoint } = new URL(service.blobs.signDownload(signed))
  const credentials = { accessKeyId: 'TESTKEY', secretAccessKey: 'test-secret-test-secret' }
  const client = createS3Client({
    endpoint,
    bucket: 'files',
    region: 'us-east-1',
    forcePathStyle: true,
    ...credentials,
  })
  for (const Key of keys) await client.send(new CreateMultipartUploadCommand({ Bucket: 'files', Key }))
  client.destroy()
}

/** The real store, which says that every unfinished upload began so long ago. */
const aged = (milliseconds: number): BlobStore => ({
  ...service.blobs,
  listUnfinishedUploads: async (...asked) => {
    const page = await service.blobs.listUnfinishedUploads(...asked)
    const older = (initiated: Date) => new Date(initiated.getTime() - milliseconds)
    return { ...page, uploads: page.uploads.map((one) => ({ ...one, initiated: older(one.initiated) })) }
  },
})

const search = (asked: Partial<StrayOptions> = {}, age = week + 60_000) =>
  recordStrayRun(
    { database: service.database, blobs: aged(age), now: service.now, settings: service.cleanup, actor: 'a test' },
    { ...usualStrayRun, ...asked },
  )

async function superuser(text: string): Promise<void> {
  const sql = openSuperuser(service)
  await sql.unsafe(text)
  await sql.end()
}

/** As if the prefixes had been found more than a week ago. */
const watchForAWeek = () => superuser(`update stray_prefixes set first_seen_at = first_seen_at - interval '8 days'`)

const unfinished = async () => (await service.blobs.listUnfinishedUploads('')).uploads.map(({ key }) => key)
const keyOf = (tenantId: string) => `org/${tenantId}/files/${newId(new Date())}.bin`

describe('an unfinished multipart upload under the prefix of an unknown tenant', () => {
  it('stays at any age, until an operator asks for the delete, which is logged', async () => {
    const stray = newId(new Date())
    const key = keyOf(stray)
    await begin(key)
    await search()
    await watchForAWeek()
    const { tally, strays } = await search()
    expect(tally).toMatchObject({ examined: 1, deleted: 0, found: { upload: 1 }, held: { FOREIGN: 1 } })
    expect(strays).toMatchObject([{ prefix: `org/${stray}/`, exampleKey: key, objectCount: 0 }])
    expect((await search({ includesForeign: true, isDryRun: true })).tally).toMatchObject({ deleted: 1, held: {} })
    expect(await unfinished()).toEqual([key])
    expect((await search({ includesForeign: true })).tally).toMatchObject({ deleted: 1, held: {} })
    expect(await unfinished()).toEqual([])
    const log = await service.database.lookUp((db) => db.execute('select actor, payload from installation_log'))
    expect(log).toMatchObject([{ actor: 'a test', payload: { tenant: stray, uploads: [{ objectKey: key }] } }])
  })

  it('is aborted if this database has the whole history of its blob', async () => {
    const stray = newId(new Date())
    const key = keyOf(stray)
    const sql = openSuperuser(service)
    await plantHistory(sql, stray, [key.slice(-40, -4)])
    await sql.end()
    await begin(key)
    await search()
    await watchForAWeek()
    expect((await search()).tally).toMatchObject({ deleted: 1 })
  })

  it('stays for a week by the clock of the store, and for a week after its prefix was found', async () => {
    await begin(keyOf(newId(new Date())))
    await search()
    expect((await search({ includesForeign: true })).tally).toMatchObject({ deleted: 0, held: { WATCH: 1 } })
    await watchForAWeek()
    const young = await search({ includesForeign: true }, week - 60_000)
    expect(young.tally).toMatchObject({ deleted: 0, held: { OBJECT: 1 } })
    expect(await unfinished()).toHaveLength(1)
  })

  it('stays if this database has a row of the tenant, even without its slug', async () => {
    const stray = newId(new Date())
    await begin(keyOf(stray))
    await search()
    await watchForAWeek()
    const sql = openSuperuser(service)
    await sql`insert into tenants select * from jsonb_populate_record(null::tenants,
      (select to_jsonb(t) from tenants t where id = ${tenant.id}) || jsonb_build_object('id', ${stray}::text, 'slug', 'again'))`
    await sql.end()
    expect((await search({ includesForeign: true })).tally).toMatchObject({ deleted: 0, held: { ROWS: 1 } })
  })

  it('stays while the bucket is in doubt', async () => {
    await begin(keyOf(newId(new Date())))
    await search()
    await watchForAWeek()
    await superuser('update installation set retired_at = now()')
    const { ended } = await search({ includesForeign: true })
    expect(ended).toMatch(/another database owns this bucket/)
    expect(await unfinished()).toHaveLength(1)
  })

  it('counts for the brake', async () => {
    service.cleanup.brakeObjects = 1
    const stray = newId(new Date())
    await begin(keyOf(stray), keyOf(stray))
    await search()
    await watchForAWeek()
    expect((await search({ includesForeign: true })).ended).toMatch(/^More than 1 objects/)
    expect(await unfinished()).toHaveLength(2)
    expect((await search({ includesForeign: true, exceedsBrake: true })).tally.deleted).toBe(2)
  })

  it('is searched for in one tenant if an operator names it', async () => {
    const [one, other] = [newId(new Date()), newId(new Date())]
    const kept = keyOf(other)
    await begin(keyOf(one), kept)
    await search()
    await watchForAWeek()
    expect((await search({ includesForeign: true, tenant: one })).tally).toMatchObject({ examined: 1, deleted: 1 })
    expect(await unfinished()).toEqual([kept])
  })
})

it('uploads of known tenants, outside org/ and with keys of another form stay', async () => {
  const stray = newId(new Date())
  const keys = [keyOf(tenant.id), `org/${stray}/invoices/1`, 'backups/1', 'org/no-id/files/1'].toSorted()
  await begin(...keys)
  await search()
  await watchForAWeek()
  const { tally } = await search({ includesForeign: true, exceedsBrake: true })
  expect(tally).toMatchObject({ examined: 1, deleted: 0, found: { unnamed: 1 } })
  expect((await unfinished()).toSorted()).toEqual(keys)
})
