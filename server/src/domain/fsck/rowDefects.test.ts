import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { findingsIn, violationsIn } from './testing/violationsIn.ts'
import { type Furnished, openWorkbench, type Workbench } from './testing/workbench.ts'

let bench: Workbench
beforeAll(async () => {
  bench = await openWorkbench()
})
afterAll(() => bench.close())

type Plants = (tenant: Furnished) => string | string[] | Promise<string | string[]>

/** Plants a defect in a healthy tenant, and expects exactly these violations. */
const tells = (what: string, plants: Plants, ...expected: RegExp[]) =>
  it(`${what}: otherwise it is reported`, async () => {
    const tenant = await bench.furnish()
    expect(await violationsIn(bench.service, { tenant })).toEqual([])
    for (const statement of [await plants(tenant)].flat()) await bench.plant(statement)
    const told = await violationsIn(bench.service, { tenant })
    expect(told).toEqual(expected.map((sentence) => expect.stringMatching(sentence)))
  })

const setFile = (id: string, change: string) => `update files set ${change} where id = '${id}'`
const setBlob = (id: string, change: string) => `update blobs set ${change} where id = '${id}'`
const setUsage = ({ id }: Furnished, change: string) => `update tenant_usage set ${change} where tenant_id = '${id}'`
const copyEvent = ({ id, kept }: Furnished, type: string, subject: string) =>
  `insert into events (tenant_id, id, seq, type, subject_type, subject_id, payload, created_at)
   select tenant_id, gen_random_uuid(), -(random() * 1e15)::bigint, '${type}', split_part('${type}', '.', 1), '${subject}', '{}', created_at
   from events where tenant_id = '${id}' and subject_id = '${kept}' and type = 'file.uploaded'`

describe('counters', () => {
  tells(
    'of attachments equal the attachments',
    ({ attached }) => setFile(attached, 'attachment_count = 3'),
    /^ATTACHMENT_COUNT: .*attached\.txt.* counts 3 attachments and has 1\.$/,
  )

  tells(
    'of references equal the versions',
    async ({ kept, blobOf }) => setBlob((await blobOf(kept)).id, 'refcount = 2'),
    /^REFCOUNT: .* counts 2 references and has 1\.$/,
  )

  it.each([
    ['file_count', 'fileCount', 2],
    ['trashed_count', 'trashedCount', 1],
    ['version_count', 'versionCount', 4],
    ['stored_bytes', 'storedBytes', 29],
    ['reserved_bytes', 'reservedBytes', 10],
  ])('of a tenant equal what is counted: %s', async (column, name, counted) => {
    const tenant = await bench.furnish()
    await bench.plant(setUsage(tenant, `${column} = ${column} + 7`))
    expect(await violationsIn(bench.service, { tenant })).toEqual([
      `USAGE: The usage says ${name} ${counted + 7}, counted are ${counted}.`,
    ])
  })

  tells(
    'of a tenant are there',
    ({ id }) => `delete from tenant_usage where tenant_id = '${id}'`,
    /^USAGE: The tenant has no usage row/,
  )
})

describe('versions', () => {
  tells(
    'end with the current one',
    ({ kept }) => setFile(kept, 'current_version = 1'),
    /^VERSIONS: .* is at version 1 and has 2 versions up to number 2\.$/,
  )

  tells(
    'have no gap',
    ({ kept }) => [
      `update file_versions set version = 3 where file_id = '${kept}' and version = 2`,
      setFile(kept, 'current_version = 3'),
    ],
    /^VERSIONS: .* is at version 3 and has 2 versions up to number 3\.$/,
  )

  tells(
    'lie in bytes that have a row',
    ({ trashed }) =>
      `update file_versions set blob_id = gen_random_uuid() where file_id = '${trashed}' and version = 1`,
    /^VERSIONS: .* has 1 versions whose bytes are not ready\.$/,
    /^REFCOUNT: .* counts 1 references and has 0\.$/,
  )

  tells(
    'lie in bytes that are never released',
    async (tenant) => [
      setBlob((await tenant.blobOf(tenant.trashed)).id, `status = 'deleting', deleting_since = now()`),
      setUsage(tenant, 'reserved_bytes = reserved_bytes + 5'),
    ],
    /^VERSIONS: .* has 1 versions whose bytes are not ready\.$/,
    /^REFCOUNT: .* is deleting with 1 references\.$/,
    /^RELEASE: .* no event says that it was released\.$/,
  )

  tells(
    'are as long as their bytes',
    (tenant) => [
      `update file_versions set byte_size = 6 where file_id = '${tenant.kept}' and version = 1`,
      setUsage(tenant, 'stored_bytes = stored_bytes + 1'),
    ],
    /^VERSION_SIZE: .* is not as long as 1 of its versions say\.$/,
  )
})

describe('a file', () => {
  tells(
    'has the type of its current version',
    ({ kept }) => setFile(kept, `content_type = 'image/png'`),
    /^FILE_AS_VERSION: .*renamed\.txt.* has another type or size than its current version\.$/,
  )

  tells('has the size of its current version', ({ kept }) => setFile(kept, 'byte_size = 1'), /^FILE_AS_VERSION: /)

  tells(
    'has the name that it was given last',
    ({ kept }) => setFile(kept, `original_file_name = 'again.txt'`),
    /^FILE_AS_VERSION: .* was last called "renamed\.txt"\.$/,
  )

  tells(
    'is not in the trash while it is attached',
    (tenant) => [
      setFile(tenant.attached, 'soft_deleted_at = now(), soft_deleted_by = uploaded_by'),
      setUsage(tenant, 'file_count = file_count - 1, trashed_count = trashed_count + 1'),
    ],
    /^LIFECYCLE: .* is in the trash and has 1 attachments\.$/,
  )

  tells(
    'that was purged has no versions',
    (tenant) => [setFile(tenant.trashed, 'purged_at = now()'), setUsage(tenant, 'trashed_count = 0')],
    /^LIFECYCLE: .* was purged and still has 1 versions\.$/,
  )

  tells(
    'that was purged is in the trash',
    ({ purged }) => setFile(purged, 'soft_deleted_at = null'),
    /^LIFECYCLE: .* was purged and is not in the trash\.$/,
  )

  tells(
    'that was purged has no attachments',
    ({ purged, attached }) => [
      setFile(purged, 'attachment_count = 1'),
      `insert into attachments select tenant_id, gen_random_uuid(), '${purged}', owner_type, owner_id, slot, created_by, created_at
       from attachments where file_id = '${attached}'`,
    ],
    /^LIFECYCLE: .* was purged and still has 1 attachments\.$/,
  )

  tells(
    'under legal hold is not purged',
    ({ purged }) => setFile(purged, `held_at = now(), held_by = uploaded_by, hold_reason = 'court'`),
    /^LIFECYCLE: .* is under legal hold and was purged\.$/,
  )
})

describe('nothing is overdue', () => {
  tells(
    'in its deletion, and the attempts are told',
    ({ released }) => setBlob(released, `deleting_since = now() - interval '8 days', purge_attempts = 4`),
    /^OVERDUE: .* waits for its deletion for 8 days, after 4 failed attempts\.$/,
  )

  tells(
    'in the end of its upload',
    ({ pending }) => `update uploads set expires_at = now() - interval '2 days' where id = '${pending}'`,
    /^OVERDUE: The upload intent .* is pending although it expired at /,
  )

  tells(
    'in the end of its bytes',
    (tenant) => `update uploads set state = 'EXPIRED' where id = '${tenant.pending}'`,
    /^OVERDUE: The blob .* waits for an upload that has ended\.$/,
  )

  it('within its limit', async () => {
    const tenant = await bench.furnish()
    await bench.plant(setBlob(tenant.released, `deleting_since = now() - interval '7 days'`))
    await bench.plant(`update uploads set expires_at = now() - interval '23 hours' where id = '${tenant.pending}'`)
    expect(await violationsIn(bench.service, { tenant })).toEqual([])
  })
})

describe('history', () => {
  const ofTrashed = ({ trashed }: Furnished, table: string, column: string) =>
    `delete from ${table} where subject_id = '${trashed}' and ${column} = 'file.soft_deleted'`

  tells(
    'has an event for each audit entry',
    (tenant) => ofTrashed(tenant, 'events', 'type'),
    /^JOURNAL: There are 1 audit entries and 0 events for "file\.soft_deleted" of file /,
    /^JOURNAL: 1 events are missing in the numbers 1 to 18 of the journal\.$/,
    /^JOURNAL: 1 audit entries in the numbers 1 to 18 of the journal do not have the number of their event\.$/,
  )

  tells(
    'has an audit entry for each event',
    (tenant) => ofTrashed(tenant, 'audit_log', 'action'),
    /^JOURNAL: There are 0 audit entries and 1 events for "file\.soft_deleted" of file /,
  )

  tells(
    'tells each change once',
    (tenant) => copyEvent(tenant, 'file.soft_deleted', tenant.trashed),
    /^JOURNAL: There are 1 audit entries and 2 events for "file\.soft_deleted" of file /,
  )

  tells(
    'of a subject of its own is seen',
    (tenant) => copyEvent(tenant, 'file.held', 'ffffffff-ffff-ffff-ffff-ffffffffffff'),
    /^JOURNAL: There are 0 audit entries and 1 events for "file\.held" of file ffffffff-/,
  )

  tells(
    'says that bytes that are being deleted were released',
    ({ released }) => `delete from events where subject_id = '${released}'`,
    /^RELEASE: .* is being deleted, and no event says that it was released\.$/,
    /^JOURNAL: 1 events are missing in the numbers 1 to 18 of the journal\.$/,
  )

  tells(
    'has a head that no event is beyond',
    (tenant) => setUsage(tenant, 'journal_seq = 17'),
    /^JOURNAL: The head of the journal is 17, and 2 events or audit entries have a higher number\.$/,
  )

  tells(
    'numbers an audit entry like its event',
    ({ id }) => `update audit_log set seq = 99 where tenant_id = '${id}' and seq = 2`,
    /^JOURNAL: The head of the journal is 18, and 1 events or audit entries have a higher number\.$/,
  )

  tells(
    'does not release bytes that are kept',
    async (tenant) => copyEvent(tenant, 'blob.released', (await tenant.blobOf(tenant.kept)).id),
    /^RELEASE: .* was released by the journal and is ready\.$/,
  )
})

describe('more rows than a page', () => {
  const many = 1_201

  it('of files, blobs, uploads and changes are read to the end', async () => {
    const tenant = await bench.furnish()
    const series = `from generate_series(1, ${many})`
    const statements = [
      `insert into files (tenant_id, id, original_file_name, content_type, byte_size, current_version, uploaded_by, uploaded_at, updated_at)
       select '${tenant.id}', gen_random_uuid(), 'x', 'x', 0, 1, gen_random_uuid(), now(), now() ${series}`,
      `insert into blobs (tenant_id, id, object_key, status, refcount, byte_size, content_type, created_at, deleting_since)
       select '${tenant.id}', n, 'org/${tenant.id}/files/' || n || '.x', 'deleting', 0, 0, 'x', now(), now()
       from (select gen_random_uuid() as n ${series}) as ids`,
      `insert into uploads (tenant_id, id, blob_id, state, declared_name, declared_content_type, declared_byte_size, created_by, created_at, expires_at)
       select '${tenant.id}', gen_random_uuid(), gen_random_uuid(), 'PENDING', 'x', 'x', 0, gen_random_uuid(), now(), now() - interval '2 days' ${series}`,
      `insert into events (tenant_id, id, seq, type, subject_type, subject_id, payload, created_at)
       select '${tenant.id}', gen_random_uuid(), -(random() * 1e15)::bigint, 'x.y', 'x', gen_random_uuid(), '{}', now() ${series}`,
    ]
    for (const statement of statements) await bench.plant(statement, many)
    const subjects = new Set<string>()
    for (const { subject } of await findingsIn(bench.service, { tenant, skipsBucket: true })) subjects.add(subject.id)
    expect(subjects.size).toBe(4 * many + 1)
  })
})
