import { randomUUID } from 'node:crypto'
import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { globalId } from '../src/graphql/globalId.ts'
import { type FileChanges, fileChangesIn } from './fileChanges.ts'
import {
  askForIntent,
  commit,
  type Data,
  sendBytes,
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

const asAdmin = (mutation: string, input: Data): Promise<Data> => changes.change(tenant.admin, mutation, input)
const hold = (file: Data, reason = 'a lawsuit') => asAdmin('holdFile', { id: file.id, reason })
const release = (file: Data) => asAdmin('releaseFile', { id: file.id })
const remove = (file: Data) => asAdmin('deleteFile', { id: file.id })
const purge = (file: Data) => asAdmin('purgeFile', { id: file.id })
const conflict = { __typename: 'ConflictError', code: 'CONFLICT' }

const codeOf = async (who: TestTenant['viewer'], mutation: string, input: Data) =>
  (await changes.send(who, mutation, input)).errors?.[0]?.extensions.code

describe('a legal hold', () => {
  it('is placed and released by an ADMIN, recorded once, and keeps the first reason', async () => {
    const file = await uploadFile(service, tenant.member)
    const once = await hold(file, '  a lawsuit  ')
    expect(once.file.hold).toEqual({ reason: 'a lawsuit', heldBy: { name: tenant.admin.name } })
    expect(await hold(file, 'another')).toEqual(once)
    const free = await release(file)
    expect(free.file.hold).toBeNull()
    expect(await release(file)).toEqual(free)
    const all = ['file.uploaded', 'file.held', 'file.released']
    expect(await changes.actionsOn(file)).toEqual(all)
    expect(await changes.eventsOf(file)).toEqual(all)
  })

  it('cannot be placed by a VIEWER or a MEMBER', async () => {
    const { id } = await uploadFile(service, tenant.member)
    for (const who of [tenant.viewer, tenant.member]) {
      expect(await codeOf(who, 'holdFile', { id, reason: 'x' })).toBe('FORBIDDEN')
      expect(await codeOf(who, 'releaseFile', { id })).toBe('FORBIDDEN')
    }
  })

  it('needs a readable reason', async () => {
    const file = await uploadFile(service, tenant.member)
    for (const reason of ['', '  ', 'x'.repeat(501), 'a\0b', 'a\u202eb', '\ud83d']) {
      expect(await hold(file, reason)).toMatchObject({ __typename: 'ValidationError', field: 'reason' })
    }
    expect((await hold(file, '🎉'.repeat(500))).file.hold.reason).toBe('🎉'.repeat(500))
  })

  it('prevents delete and purge, and the file in the trash has no end of its time', async () => {
    const file = await uploadFile(service, tenant.member)
    await hold(file)
    expect(await remove(file)).toMatchObject(conflict)
    await release(file)
    expect((await remove(file)).file.purgeAfter).toEqual(expect.any(String))
    expect((await hold(file)).file).toMatchObject({ state: 'TRASHED', purgeAfter: null })
    expect(await purge(file)).toMatchObject(conflict)
    await release(file)
    expect(await purge(file)).toMatchObject({ __typename: 'PurgeFileSuccess' })
  })

  it('keeps a WHILE_ATTACHED file out of the trash when its last attachment is removed', async () => {
    const file = await changes.uploadWhileAttached(tenant)
    const owner = { fileId: file.id, ownerType: 'invoice', ownerId: '1' }
    await changes.change(tenant.member, 'attachFile', owner)
    await hold(file)
    expect((await changes.change(tenant.member, 'detachFile', owner)).file).toMatchObject({
      state: 'READY',
      attachmentCount: 0,
    })
  })

  it('is refused for a purged, a foreign or a missing file, in the same bytes', async () => {
    const purged = await uploadFile(service, tenant.member)
    await remove(purged)
    await purge(purged)
    const foreign = await uploadFile(service, (await service.createTenant()).member)
    const answers = await Promise.all(
      [purged.id, foreign.id, globalId('File', randomUUID()), 'junk'].map(async (id) =>
        JSON.stringify(await changes.send(tenant.admin, 'holdFile', { id, reason: 'x' })),
      ),
    )
    expect(new Set(answers).size).toBe(1)
    expect(answers[0]).toContain('"NotFoundError"')
  })
})

describe('purging a file before its time', () => {
  it('is refused for a file that is live, attached or waiting for a new version', async () => {
    const file = await uploadFile(service, tenant.member)
    expect(await purge(file)).toMatchObject(conflict)
    await changes.change(tenant.member, 'attachFile', { fileId: file.id, ownerType: 'invoice', ownerId: '1' })
    expect(await purge(file)).toMatchObject({ __typename: 'FileInUseError' })
    const waiting = await uploadFile(service, tenant.member)
    const { uploadIntent } = await askForIntent(service, tenant.member, { fileId: waiting.id })
    await remove(waiting)
    expect(await purge(waiting)).toMatchObject(conflict)
    const cancel = 'mutation ($id: ID!) { cancelUpload(input: { id: $id }) { __typename } }'
    await service.ask(tenant.member, cancel, { id: uploadIntent.id })
    expect(await purge(waiting)).toMatchObject({ __typename: 'PurgeFileSuccess' })
  })

  it('is refused while an attachment exists, even if the counter of the file is 0', async () => {
    const superuser = postgres(service.testDatabase.superuserUrl, { max: 1, onnotice: () => undefined })
    const file = await uploadFile(service, tenant.member)
    await remove(file)
    const plain = Buffer.from(file.id, 'base64url').toString().replace('File:', '')
    await superuser`insert into attachments (tenant_id, id, file_id, owner_type, owner_id, slot, created_by, created_at)
      values (${tenant.id}, ${randomUUID()}, ${plain}, 'invoice', '1', 'scan', ${tenant.member.id}, now())`
    expect(await purge(file)).toMatchObject({ code: 'FILE_IN_USE' })
    await superuser`delete from attachments where file_id = ${plain}`
    expect(await purge(file)).toMatchObject({ __typename: 'PurgeFileSuccess' })
    await superuser.end()
  })

  it('needs ADMIN', async () => {
    const file = await uploadFile(service, tenant.member)
    await remove(file)
    for (const who of [tenant.viewer, tenant.member]) {
      expect(await codeOf(who, 'purgeFile', { id: file.id })).toBe('FORBIDDEN')
    }
  })

  it('returns the file, which is then in no list, has no readable id and cannot be restored', async () => {
    const { uploadIntent } = await askForIntent(service, tenant.member, { name: 'secret plan.txt' })
    await sendBytes(uploadIntent, 'hello')
    const { file } = await commit(service, tenant.member, uploadIntent.id)
    await remove(file)
    const query = `mutation ($id: ID!) { purgeFile(input: { id: $id }) { __typename
      ... on PurgeFileSuccess { file { id name state purgeAfter version { number } versions { nodes { number } } downloadUrl } }
      ... on Error { code message } } }`
    const answer = await service.ask(tenant.admin, query, { id: file.id })
    expect(answer.errors).toBeUndefined()
    expect(answer.data.purgeFile).toEqual({
      __typename: 'PurgeFileSuccess',
      file: {
        id: file.id,
        name: 'secret plan.txt',
        state: 'PURGED',
        purgeAfter: null,
        version: { number: 1 },
        versions: { nodes: [] },
        downloadUrl: null,
      },
    })
    const again = await service.ask(tenant.admin, query, { id: file.id })
    const missing = await service.ask(tenant.admin, query, { id: globalId('File', randomUUID()) })
    expect(again.data.purgeFile).toMatchObject({ __typename: 'NotFoundError' })
    expect(JSON.stringify(again)).toBe(JSON.stringify(missing))

    const look = `query ($id: ID!, $intent: ID!) { file(id: $id) { id } node(id: $id) { id } nodes(ids: [$id]) { id }
      files(first: 100) { nodes { id } } trash: files(first: 100, filter: { state: TRASHED }) { nodes { id } }
      uploadIntent(id: $intent) { state file { id } } }`
    const { data, errors } = await service.ask(tenant.member, look, { id: file.id, intent: uploadIntent.id })
    expect(errors).toBeUndefined()
    expect(data).toMatchObject({
      file: null,
      node: null,
      nodes: [null],
      uploadIntent: { state: 'COMMITTED', file: null },
    })
    expect([...data.files.nodes, ...data.trash.nodes].map((one: Data) => one.id)).not.toContain(file.id)
    for (const mutation of ['restoreFile', 'deleteFile', 'releaseFile']) {
      expect(await asAdmin(mutation, { id: file.id })).toMatchObject({ __typename: 'NotFoundError' })
    }
    const all = ['file.uploaded', 'file.soft_deleted', 'file.purged']
    expect(await changes.actionsOn(file)).toEqual(all)
    expect(await changes.eventsOf(file)).toEqual(all)
  })
})
