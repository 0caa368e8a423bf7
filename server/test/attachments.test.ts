import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { globalId } from '../src/graphql/globalId.ts'
import { type FileChanges, fileChangesIn } from './fileChanges.ts'
import {
  askForIntent,
  type Data,
  startTestService,
  type TestService,
  type TestTenant,
  uploadFile,
} from './testService.ts'

let service: TestService
let tenant: TestTenant
let changes: FileChanges

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  changes = fileChangesIn(service)
})

afterAll(async () => {
  await changes.close()
  await service.close()
})

const to = (file: Data, ownerId: string, slot = 'scan') => ({ fileId: file.id, ownerType: 'invoice', ownerId, slot })
const change = (mutation: string, input: Data): Promise<Data> => changes.change(tenant.member, mutation, input)
const ids = (file: Data) => file.attachments.nodes.map((one: Data) => one.ownerId)
const usage = async (of = tenant) => (await service.ask(of.viewer, '{ usage { fileCount trashedCount } }')).data.usage

const stateOf = async (file: Data) => {
  const query =
    'query ($id: ID!) { file(id: $id) { state } files(filter: { state: TRASHED }, first: 100) { nodes { id } } }'
  const { data } = await service.ask(tenant.viewer, query, { id: file.id })
  return data.file?.state ?? (data.files.nodes.some((one: Data) => one.id === file.id) ? 'TRASHED' : 'GONE')
}

const attachmentsOf = async (ownerId: string, page = '') => {
  const query = `query ($ownerId: String!) { attachmentsOf(ownerType: "invoice", ownerId: $ownerId ${page}) {
    nodes { slot file { id } } pageInfo { hasNextPage endCursor } } }`
  return (await service.ask(tenant.viewer, query, { ownerId })).data.attachmentsOf
}

describe('attaching', () => {
  it('writes one row, one audit entry and one event, for any number of sequential or concurrent calls', async () => {
    const file = await uploadFile(service, tenant.member)
    const once = await change('attachFile', to(file, '1'))
    expect(once).toMatchObject({ __typename: 'AttachFileSuccess', file: { attachmentCount: 1 } })
    expect(once.file.attachments.nodes).toEqual([
      { ownerType: 'invoice', ownerId: '1', slot: 'scan', attachedBy: { name: tenant.member.name } },
    ])
    const again = await Promise.all(Array.from({ length: 5 }, () => change('attachFile', to(file, '1'))))
    for (const answer of again) expect(answer).toEqual(once)
    expect(await changes.actionsOn(file)).toEqual(['file.uploaded', 'file.attached'])
    expect(await changes.eventsOf(file)).toEqual(['file.uploaded', 'file.attached'])
  })

  it('to another slot, owner or file is another attachment; the slot has a default', async () => {
    const [file, other] = [await uploadFile(service, tenant.member), await uploadFile(service, tenant.member)]
    const owner = randomUUID()
    await change('attachFile', to(file, owner, 'a'))
    await change('attachFile', to(other, owner, 'a'))
    const { slot: _, ...unnamed } = to(file, owner)
    const { file: now } = await change('attachFile', unnamed)
    expect(now.attachments.nodes.map((one: Data) => one.slot)).toEqual(['a', 'default'])
    const all = await attachmentsOf(owner)
    expect(all.nodes).toEqual([
      { slot: 'a', file: { id: file.id } },
      { slot: 'a', file: { id: other.id } },
      { slot: 'default', file: { id: file.id } },
    ])
    expect((await attachmentsOf(owner, 'slot: "a"')).nodes).toHaveLength(2)
    const first = await attachmentsOf(owner, 'first: 2')
    expect(first.pageInfo.hasNextPage).toBe(true)
    const rest = await attachmentsOf(owner, `first: 2, after: "${first.pageInfo.endCursor}"`)
    expect([...first.nodes, ...rest.nodes]).toEqual(all.nodes)
    expect((await attachmentsOf(owner, 'last: 1')).nodes).toEqual(all.nodes.slice(-1))
    for (const none of ['', '\0', 'x'.repeat(300), '%', '\ud800']) expect((await attachmentsOf(none)).nodes).toEqual([])
  })

  it('protects a file from deletion; the refusal lists a hundred attachments and reports their number', async () => {
    const file = await uploadFile(service, tenant.member)
    const owners = Array.from({ length: 105 }, (_, at) => `row ${at}`)
    for (const owner of owners) await change('attachFile', to(file, owner))
    const refused = await change('deleteFile', { id: file.id })
    expect(refused).toMatchObject({ __typename: 'FileInUseError', code: 'FILE_IN_USE', attachmentCount: 105 })
    expect(refused.attachments).toHaveLength(100)
    expect(refused.attachments[7]).toEqual({
      ownerId: 'row 7',
      slot: 'scan',
      file: { id: file.id },
      attachedBy: { name: tenant.member.name },
    })
    expect(await stateOf(file)).toBe('READY')

    const page =
      'query ($id: ID!, $after: String) { file(id: $id) { attachments(first: 40, after: $after) { nodes { ownerId } pageInfo { endCursor hasNextPage } } } }'
    const seen: string[] = []
    for (let after: string | null = null, more = true; more;) {
      const { attachments }: Data = (await service.ask(tenant.viewer, page, { id: file.id, after })).data.file
      seen.push(...attachments.nodes.map((one: Data) => one.ownerId))
      after = attachments.pageInfo.endCursor
      more = attachments.pageInfo.hasNextPage
    }
    expect(seen).toEqual(owners)
  })

  it('is refused for a file in the trash; purged, foreign and missing files get the same bytes', async () => {
    const [trashed, purged] = [await uploadFile(service, tenant.member), await uploadFile(service, tenant.member)]
    for (const { id } of [trashed, purged]) await change('deleteFile', { id })
    await changes.change(tenant.admin, 'purgeFile', { id: purged.id })
    const foreign = await uploadFile(service, (await service.createTenant()).member)
    for (const mutation of ['attachFile', 'replaceAttachment']) {
      expect(await change(mutation, to(trashed, '1'))).toMatchObject({ __typename: 'ConflictError', code: 'CONFLICT' })
    }
    for (const mutation of ['attachFile', 'detachFile', 'replaceAttachment']) {
      const nowhere = [purged.id, foreign.id, globalId('File', randomUUID()), 'junk', '', 'a\0b']
      const answers = await Promise.all(
        nowhere.map(async (id) => JSON.stringify(await changes.send(tenant.member, mutation, to({ id }, '1')))),
      )
      expect(new Set(answers).size).toBe(1)
      expect(answers[0]).toContain('"NotFoundError"')
    }
    expect(await changes.actionsOn(foreign)).toEqual(['file.uploaded'])
  })
})

describe('detaching', () => {
  it('allows the deletion of the file; removing a missing attachment succeeds and records nothing', async () => {
    const file = await uploadFile(service, tenant.member)
    await change('attachFile', to(file, '1'))
    const once = await change('detachFile', to(file, '1'))
    expect(once).toMatchObject({ __typename: 'DetachFileSuccess', file: { state: 'READY', attachmentCount: 0 } })
    expect(await change('detachFile', to(file, '1'))).toEqual(once)
    expect(await change('detachFile', to(file, 'somebody else'))).toEqual(once)
    const all = ['file.uploaded', 'file.attached', 'file.detached']
    expect(await changes.actionsOn(file)).toEqual(all)
    expect(await changes.eventsOf(file)).toEqual(all)
    expect(await change('deleteFile', { id: file.id })).toMatchObject({ __typename: 'DeleteFileSuccess' })
    expect(await change('detachFile', to(file, '1'))).toMatchObject({ file: { state: 'TRASHED' } })
  })

  it('of the last row moves a WHILE_ATTACHED file to the trash, with usage, two entries and two events', async () => {
    const file = await changes.uploadWhileAttached(tenant)
    await change('attachFile', to(file, '1'))
    await change('attachFile', to(file, '2'))
    const before = await usage()
    expect((await change('detachFile', to(file, '1'))).file).toMatchObject({ state: 'READY', attachmentCount: 1 })
    expect(await usage()).toEqual(before)
    const { file: gone } = await change('detachFile', to(file, '2'))
    expect(gone).toMatchObject({ state: 'TRASHED', attachmentCount: 0 })
    expect(Date.parse(gone.purgeAfter) - Date.parse(gone.deletedAt)).toBe(30 * 86_400_000)
    expect(await usage()).toEqual({ fileCount: before.fileCount - 1, trashedCount: before.trashedCount + 1 })
    expect((await changes.actionsOn(file)).slice(-2)).toEqual(['file.detached', 'file.soft_deleted'])
    expect((await changes.eventsOf(file)).slice(-2)).toEqual(['file.detached', 'file.soft_deleted'])
    expect(await change('restoreFile', { id: file.id })).toMatchObject({ file: { state: 'READY', purgeAfter: null } })
    expect(await usage()).toEqual(before)
  })
})

describe('replacing', () => {
  it('fills an empty slot, changes nothing when repeated, and swaps one file for another and back', async () => {
    const [one, two] = [await changes.uploadWhileAttached(tenant), await uploadFile(service, tenant.member)]
    const owner = randomUUID()
    await change('attachFile', to(one, owner, 'another slot'))
    await change('replaceAttachment', to(two, owner))
    const same = await change('replaceAttachment', to(two, owner))
    expect(same).toMatchObject({ __typename: 'ReplaceAttachmentSuccess', file: { attachmentCount: 1 } })
    await change('replaceAttachment', to(one, owner))
    expect((await attachmentsOf(owner, 'slot: "scan"')).nodes).toEqual([{ slot: 'scan', file: { id: one.id } }])
    await change('replaceAttachment', to(two, owner))
    expect((await attachmentsOf(owner, 'slot: "scan"')).nodes).toEqual([{ slot: 'scan', file: { id: two.id } }])
    expect(await stateOf(one)).toBe('READY')
    const attachedAndBack = ['file.attached', 'file.detached', 'file.attached']
    expect((await changes.actionsOn(two)).slice(1)).toEqual(attachedAndBack)
    expect((await changes.eventsOf(two)).slice(1)).toEqual(attachedAndBack)
  })

  it('moves the former file to the trash if it was kept only while attached', async () => {
    const [old, next] = [await changes.uploadWhileAttached(tenant), await changes.uploadWhileAttached(tenant)]
    await change('replaceAttachment', to(old, '7', 'avatar'))
    await change('replaceAttachment', to(next, '7', 'avatar'))
    expect([await stateOf(old), await stateOf(next)]).toEqual(['TRASHED', 'READY'])
  })

  it('leaves one file in the slot after concurrent calls', async () => {
    const files = await Promise.all(Array.from({ length: 5 }, () => uploadFile(service, tenant.member)))
    const owner = randomUUID()
    await Promise.all(files.map((file) => change('replaceAttachment', to(file, owner))))
    expect((await attachmentsOf(owner)).nodes).toHaveLength(1)
    const counts = await Promise.all(files.map(async (file) => (await change('detachFile', to(file, 'nobody'))).file))
    expect(counts.flatMap(ids)).toEqual([owner])
    expect(counts.reduce((sum, { attachmentCount }) => sum + attachmentCount, 0)).toBe(1)
  })
})

describe('retention', () => {
  it('is set by the intent, and changed once by any number of calls', async () => {
    const asked = { retention: 'WHILE_ATTACHED', content: 'x' }
    const file = await uploadFile(service, tenant.member, asked)
    const retain = (retention: string) => change('changeRetention', { id: file.id, retention })
    expect((await retain('WHILE_ATTACHED')).file.retention).toBe('WHILE_ATTACHED')
    expect(await changes.actionsOn(file)).toEqual(['file.uploaded'])
    await change('attachFile', to(file, '1'))
    expect((await retain('KEPT')).file.retention).toBe('KEPT')
    expect(await change('detachFile', to(file, '1'))).toMatchObject({ file: { state: 'READY' } })
    expect((await changes.actionsOn(file)).filter((action) => action === 'file.retention_changed')).toHaveLength(1)
  })

  it('of an unused file has no effect until its last attachment is removed', async () => {
    expect(await stateOf(await changes.uploadWhileAttached(tenant))).toBe('READY')
  })

  it('is refused on the intent of a new version, which keeps that of the file', async () => {
    const file = await changes.uploadWhileAttached(tenant)
    const refused = await askForIntent(service, tenant.member, { fileId: file.id, retention: 'KEPT' } as Data)
    expect(refused).toMatchObject({ __typename: 'ValidationError', field: 'retention' })
    await uploadFile(service, tenant.member, { fileId: file.id, content: 'second' })
    expect((await change('attachFile', to(file, '1'))).file.retention).toBe('WHILE_ATTACHED')
  })
})

describe('the required role', () => {
  it.each(['attachFile', 'detachFile', 'replaceAttachment'])('of %s is MEMBER', async (mutation) => {
    const file = await uploadFile(service, tenant.member)
    const code = async (who: TestTenant['viewer'] | null) =>
      (await changes.send(who, mutation, to(file, '1'))).errors?.[0]?.extensions.code
    expect([await code(null), await code(tenant.viewer)]).toEqual(['UNAUTHENTICATED', 'FORBIDDEN'])
    expect([await code(tenant.member), await code(tenant.admin)]).toEqual([undefined, undefined])
  })
})

describe('the text of an owner', () => {
  const longest = { ownerType: 100, ownerId: 200, slot: 100 }
  const bad = (most: number) => [
    '',
    'x'.repeat(most + 1),
    'x'.repeat(300),
    'a\0b',
    'a\nb',
    '\u007f',
    '\u0085',
    '\ud83d',
    'a\u202eb',
    '\u2066a',
    'a\u2069',
    'a\u2028b',
  ]

  it.each(Object.entries(longest))(
    'refuses a %s that is empty, long, half a character, or contains control or direction-changing characters',
    async (field, most) => {
      const file = await uploadFile(service, tenant.member)
      for (const mutation of ['attachFile', 'detachFile', 'replaceAttachment']) {
        for (const text of bad(most)) {
          const answer = await change(mutation, { ...to(file, '1'), [field]: text })
          expect(answer).toMatchObject({ __typename: 'ValidationError', field })
        }
      }
      expect(await changes.actionsOn(file)).toEqual(['file.uploaded'])
    },
  )

  it('keeps letters of every direction, joiners and marks unchanged', async () => {
    const file = await uploadFile(service, tenant.member)
    const owner = { ownerType: 'فاتورة', ownerId: 'e\u0301 \u200d \u200f 1', slot: 'תמונה' }
    const { file: attached } = await change('attachFile', { fileId: file.id, ...owner })
    expect(attached.attachments.nodes).toMatchObject([owner])
  })

  it('of an older attachment with such characters can still be detached', async () => {
    const file = await uploadFile(service, tenant.member)
    const owner = { ownerType: 'claim', ownerId: 'a\u202eb', slot: 'main' }
    const superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
    const id = Buffer.from(file.id, 'base64url').toString().slice('File:'.length)
    await superuser.begin(async (tx) => {
      const checks =
        await tx`select conname as name from pg_constraint where conrelid = 'attachments'::regclass and contype = 'c'`
      for (const { name } of checks) await tx.unsafe(`alter table attachments drop constraint ${name}`)
      await tx`insert into attachments (tenant_id, id, file_id, owner_type, owner_id, slot, created_by, created_at)
        values (${tenant.id}, gen_random_uuid(), ${id}, ${owner.ownerType}, ${owner.ownerId}, ${owner.slot}, ${tenant.member.id}, now())`
      await tx`update files set attachment_count = 1 where id = ${id}`
    })
    await superuser.end()
    const { file: detached } = await change('detachFile', { fileId: file.id, ...owner })
    expect(detached.attachmentCount).toBe(0)
    expect(await change('detachFile', { fileId: file.id, ...owner })).toMatchObject({ field: 'ownerId' })
  })

  it('is counted in characters, as in Postgres: two hundred emoji are two hundred', async () => {
    const file = await uploadFile(service, tenant.member)
    const owner = { ownerType: '🎉'.repeat(100), ownerId: '🎉'.repeat(200), slot: '🎉'.repeat(100) }
    const { file: attached } = await change('attachFile', { fileId: file.id, ...owner })
    expect(attached.attachments.nodes).toMatchObject([owner])
  })
})
