import { randomUUID } from 'node:crypto'
import type postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { deleteBlobs } from '../../src/domain/sweeps/purge/deleteBlobs.ts'
import { allGates, type CutOff, type Gate } from '../../src/domain/sweeps/purge/gates.ts'
import { askForIntent, startTestService, type TestService, type TestTenant } from '../testService.ts'
import {
  contentOf,
  newRun,
  openSaboteur,
  type PlantedFile,
  plantReleased,
  sweepContextOf,
  usualCutOff,
} from './plantFile.ts'

let service: TestService
let tenant: TestTenant
let sql: postgres.Sql

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  sql = await openSaboteur(service)
})

afterAll(async () => {
  await sql.end()
  await service.close()
})

/** A mistake that some other code made, after which one gate alone knows that the bytes must stay. */
interface Mistake {
  readonly what: string
  readonly gate: Gate
  plant(file: PlantedFile): Promise<unknown>
  readonly cutOff?: () => CutOff
}

const attachRow = ({ fileId }: PlantedFile) => sql`
  insert into attachments (tenant_id, id, file_id, owner_type, owner_id, slot, created_by, created_at)
  values (${tenant.id}, ${randomUUID()}, ${fileId}, 'invoice', '1', 'default', ${tenant.member.id}, now())`

const hold = ({ fileId }: PlantedFile) => sql`
  update files set held_at = now(), held_by = ${tenant.member.id}, hold_reason = 'law' where id = ${fileId}`

const forgetUpload = ({ blobId }: PlantedFile) => sql`delete from uploads where blob_id = ${blobId}`

const releaseWithoutFile = ({ blobId }: PlantedFile) =>
  sql`update events set payload = payload - 'fileId' where type = 'blob.released' and subject_id = ${blobId}`

const setBlob = (change: string) => (file: PlantedFile) =>
  sql.unsafe(`update blobs set ${change} where id = '${file.blobId}'`)

const setEvent = (change: string) => (file: PlantedFile) =>
  sql.unsafe(`update events set ${change} where type = 'blob.released' and subject_id = '${file.blobId}'`)

const insertVersion = ({ fileId, blobId }: PlantedFile) => sql`
  insert into file_versions
    (tenant_id, file_id, version, blob_id, original_file_name, content_type, byte_size, created_by, created_at)
  values (${tenant.id}, ${fileId}, 1, ${blobId}, 'a.txt', 'text/plain', 5, ${tenant.member.id}, now())`

const mistakes: readonly Mistake[] = [
  { what: 'the versions were dropped and the row is still ready', gate: 'STATUS', plant: setBlob(`status = 'ready'`) },
  { what: 'the bytes are still being uploaded', gate: 'STATUS', plant: setBlob(`status = 'pending'`) },
  { what: 'the counter says that a version is left', gate: 'REFERENCES', plant: setBlob('refcount = 1') },
  { what: 'the counter is below nothing', gate: 'REFERENCES', plant: setBlob('refcount = -1') },
  { what: 'a version is left that the counter does not know', gate: 'REFERENCES', plant: insertVersion },
  { what: 'nobody wrote down since when', gate: 'TIME', plant: setBlob('deleting_since = null') },
  { what: 'the bytes were released just now', gate: 'TIME', plant: setBlob('deleting_since = clock_timestamp()') },
  {
    what: 'the bytes will be released tomorrow',
    gate: 'TIME',
    plant: setBlob(`deleting_since = clock_timestamp() + interval '1 day'`),
  },
  {
    what: 'the grace is not over',
    gate: 'TIME',
    plant: async () => undefined,
    cutOff: () => ({ ...usualCutOff(), graceMs: 3 * 3_600_000 }),
  },
  {
    what: 'the cut-off lies before the release',
    gate: 'TIME',
    plant: async () => undefined,
    cutOff: () => ({ releasedBefore: new Date(Date.now() - 7_260_000), graceMs: 0 }),
  },
  {
    what: 'the cut-off lies in the future',
    gate: 'TIME',
    plant: async () => undefined,
    cutOff: () => ({ releasedBefore: new Date(Date.now() + 60_000), graceMs: 0 }),
  },
  { what: 'the file was purged while attached', gate: 'USE', plant: attachRow },
  {
    what: 'the counter alone knows of the attachment',
    gate: 'USE',
    plant: ({ fileId }) => sql`update files set attachment_count = 1 where id = ${fileId}`,
  },
  {
    what: 'the upload alone remembers the attached file',
    gate: 'USE',
    plant: async (file) => [await attachRow(file), await releaseWithoutFile(file)],
  },
  {
    what: 'the journal alone remembers the attached file',
    gate: 'USE',
    plant: async (file) => [await attachRow(file), await forgetUpload(file)],
  },
  { what: 'the file was purged under legal hold', gate: 'USE', plant: hold },
  {
    what: 'the journal alone remembers the held file',
    gate: 'USE',
    plant: async (file) => [await hold(file), await forgetUpload(file)],
  },
  { what: 'a new version of the file is on its way', gate: 'USE', plant: (file) => intentFor(file) },
  {
    what: 'the upload of the bytes has not ended',
    gate: 'USE',
    plant: ({ blobId }) =>
      sql`update uploads set state = 'PENDING', file_id = null, version = null where blob_id = ${blobId}`,
  },
  {
    what: 'nobody released the bytes',
    gate: 'RELEASE',
    plant: ({ blobId }) => sql`delete from events where type = 'blob.released' and subject_id = ${blobId}`,
  },
  { what: 'other bytes were released', gate: 'RELEASE', plant: setEvent('subject_id = gen_random_uuid()') },
  { what: 'something else happened to the bytes', gate: 'RELEASE', plant: setEvent(`type = 'blob.quarantined'`) },
  { what: 'the release was in another tenant', gate: 'RELEASE', plant: setEvent('tenant_id = gen_random_uuid()') },
]

async function intentFor({ fileId }: PlantedFile): Promise<void> {
  const { uploadIntent } = await askForIntent(service, tenant.member)
  const id = Buffer.from(uploadIntent.id, 'base64url').toString().split(':').at(-1) ?? ''
  await sql`update uploads set target_file_id = ${fileId} where id = ${id}`
}

const plantMistake = async ({ plant }: Mistake): Promise<PlantedFile> => {
  const planted = await plantReleased(service, tenant, sql)
  await plant(planted)
  return planted
}

const titled = mistakes.map((mistake) => [mistake.gate, mistake.what, mistake] as const)

describe('each gate, the other four wide open', () => {
  it.each(titled)('%s alone saves the bytes when %s', async (gate, _what, mistake) => {
    const planted = await plantMistake(mistake)
    const cutOff = mistake.cutOff?.() ?? usualCutOff()
    const run = newRun()
    await deleteBlobs({ ctx: sweepContextOf(service, tenant), run, cutOff, gates: allGates }, [planted.blobId])
    expect(run.tally).toMatchObject({ examined: 1, deleted: 0, held: { [gate]: 1 } })
    expect(await contentOf(service, planted.objectKey)).toBe(planted.content)
    expect(await sql`select 1 from blobs where id = ${planted.blobId}`).toHaveLength(1)

    // The other four would not have.
    const others = Object.fromEntries(Object.entries(allGates).filter(([name]) => name !== gate))
    await deleteBlobs({ ctx: sweepContextOf(service, tenant), run: newRun(), cutOff, gates: others }, [planted.blobId])
    expect(await contentOf(service, planted.objectKey)).toBeNull()
  })

  it('lets the bytes go if there is no defect', async () => {
    const planted = await plantReleased(service, tenant, sql)
    const run = newRun()
    await deleteBlobs({ ctx: sweepContextOf(service, tenant), run, cutOff: usualCutOff(), gates: allGates }, [
      planted.blobId,
    ])
    expect(run.tally).toMatchObject({ examined: 1, deleted: 1, held: {} })
    expect(await contentOf(service, planted.objectKey)).toBeNull()
    expect(await sql`select 1 from blobs where id = ${planted.blobId}`).toHaveLength(0)
  })
})
