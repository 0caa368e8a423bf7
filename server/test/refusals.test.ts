import postgres from 'postgres'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { systemPrincipal } from '../src/domain/context.ts'
import { addMember } from '../src/domain/identity/people/createUser.ts'
import { createTenant } from '../src/domain/tenants/createTenant.ts'
import {
  askForIntent,
  commit,
  type Data,
  startTestService,
  type TestService,
  type TestTenant,
  uploadFile,
} from './testService.ts'

let service: TestService
let tenant: TestTenant

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant({ maxFileBytes: 1_000, downloadMaxSeconds: 3_600 })
})

afterAll(() => service.close())

const refusal = `__typename ... on Error {
  code message
  ... on ConflictError { reason }
  ... on ValidationError { field path bound }
  ... on QuotaExceededError { neededBytes availableBytes }
}`

/** Sends one mutation as the tenant's ADMIN and returns the member of its union. */
async function refused(mutation: string, input: object): Promise<Data> {
  const name = `${mutation.slice(0, 1).toUpperCase()}${mutation.slice(1)}`
  const query = `mutation ($input: ${name}Input!) { ${mutation}(input: $input) { ${refusal} } }`
  const { data, errors } = await service.ask(tenant.admin, query, { input })
  expect(errors).toBeUndefined()
  return data[mutation]
}

const deleteFile = async (id: string) =>
  expect((await refused('deleteFile', { id })).__typename).toBe('DeleteFileSuccess')

const intentOf = async (more: object = {}): Promise<string> =>
  (await askForIntent(service, tenant.admin, more)).uploadIntent.id

const conflicts: [string, () => Promise<Data>][] = [
  [
    'FILE_HELD',
    async () => {
      const { id } = await uploadFile(service, tenant.admin)
      await refused('holdFile', { id, reason: 'A court asked for it' })
      return refused('deleteFile', { id })
    },
  ],
  ['NOT_TRASHED', async () => refused('purgeFile', { id: (await uploadFile(service, tenant.admin)).id })],
  [
    'VERSION_PENDING',
    async () => {
      const { id } = await uploadFile(service, tenant.admin)
      await intentOf({ fileId: id })
      await deleteFile(id)
      return refused('purgeFile', { id })
    },
  ],
  [
    'TRASHED',
    async () => {
      const { id } = await uploadFile(service, tenant.admin)
      await deleteFile(id)
      return refused('attachFile', { fileId: id, ownerType: 'invoice', ownerId: '1' })
    },
  ],
  [
    'ALREADY_COMMITTED',
    async () => {
      await uploadFile(service, tenant.admin)
      const query = '{ uploadIntents(first: 1, filter: { state: COMMITTED }) { nodes { id } } }'
      const { data } = await service.ask(tenant.admin, query)
      return refused('cancelUpload', { id: data.uploadIntents.nodes[0].id })
    },
  ],
  [
    'INTENT_CANCELLED',
    async () => {
      const id = await intentOf()
      await refused('cancelUpload', { id })
      return refused('commitUpload', { id })
    },
  ],
  [
    'INTENT_EXPIRED',
    async () => {
      const id = await intentOf()
      service.clock.offsetMs = 8 * 86_400_000
      return refused('commitUpload', { id }).finally(() => (service.clock.offsetMs = 0))
    },
  ],
  [
    'IDEMPOTENCY_KEY_REUSED',
    async () => {
      await intentOf({ idempotencyKey: 'once' })
      const other = { name: 'other.txt', contentType: 'text/plain', byteSize: 1, idempotencyKey: 'once' }
      return refused('createUploadIntent', other)
    },
  ],
]

describe('a ConflictError', () => {
  it.each(conflicts)('has the reason %s', async (reason, cause) => {
    expect(await cause()).toMatchObject({ __typename: 'ConflictError', code: 'CONFLICT', reason })
  })

  it('has a reason for an upload to a file that went to the trash', async () => {
    const { id } = await uploadFile(service, tenant.admin)
    const { uploadIntent } = await askForIntent(service, tenant.admin, { fileId: id })
    const headers = uploadIntent.headers.map(({ name, value }: Data) => [name, value])
    await fetch(uploadIntent.url, { method: 'PUT', headers, body: 'hello' })
    await deleteFile(id)
    expect((await commit(service, tenant.admin, uploadIntent.id)).__typename).toBe('ConflictError')
    expect(await refused('commitUpload', { id: uploadIntent.id })).toMatchObject({ reason: 'TRASHED' })
  })

  it('has a reason if a command is refused', async () => {
    const { contextOf } = service
    const again = createTenant(contextOf(systemPrincipal('')), { slug: tenant.slug, name: 'Again' })
    await expect(again).rejects.toMatchObject({ code: 'CONFLICT', reason: 'NAME_TAKEN' })
    const { email, name } = tenant.viewer
    const person = { email: email ?? '', name, password: 'a long password', role: 'VIEWER' } as const
    const twice = addMember(contextOf(systemPrincipal(tenant.id)), person)
    await expect(twice).rejects.toMatchObject({ code: 'CONFLICT', reason: 'ALREADY_MEMBER' })
  })
})

const declared = { name: 'a.txt', contentType: 'text/plain', byteSize: 1 }

describe('a ValidationError', () => {
  it.each<[string, object, string, number | null]>([
    ['createUploadIntent', { ...declared, byteSize: 1_001 }, 'byteSize', 1_000],
    ['createUploadIntent', { ...declared, byteSize: -1 }, 'byteSize', 0],
    ['createUploadIntent', { ...declared, idempotencyKey: 'x'.repeat(201) }, 'idempotencyKey', 200],
    ['createUploadIntent', { ...declared, idempotencyKey: '' }, 'idempotencyKey', 1],
    ['createUploadIntent', { ...declared, idempotencyKey: 'é' }, 'idempotencyKey', null],
    ['createUploadIntent', { ...declared, name: 'x'.repeat(256) }, 'name', 255],
    ['createUploadIntent', { ...declared, contentType: 'junk' }, 'contentType', null],
    ['attachFile', { fileId: 'x', ownerType: 'x'.repeat(101), ownerId: '1' }, 'ownerType', 100],
    ['attachFile', { fileId: 'x', ownerType: 'x', ownerId: '' }, 'ownerId', 1],
    ['holdFile', { id: 'x', reason: 'x'.repeat(501) }, 'reason', 500],
    ['holdFile', { id: 'x', reason: ' ' }, 'reason', 1],
  ])('of %s(%j) points at %s with the bound %j, which the message names', async (mutation, input, field, bound) => {
    const answer = await refused(mutation, input)
    expect(answer).toMatchObject({ __typename: 'ValidationError', code: 'VALIDATION', field, path: [field], bound })
    if (bound !== null) expect(answer.message).toContain(String(bound))
  })

  it.each([
    [0, 1],
    [3_601, 3_600],
  ])('for a lifetime of %j seconds has the bound %j', async (expiresInSeconds, bound) => {
    const { id } = await uploadFile(service, tenant.admin)
    const answer = await refused('issueDownloadUrl', { id, expiresInSeconds })
    expect(answer).toMatchObject({ field: 'expiresInSeconds', bound })
    expect(answer.message).toContain('between 1 and 3600 seconds')
  })
})

describe('a QuotaExceededError', () => {
  it('reports how many bytes were needed and how many are available', async () => {
    const small = await service.createTenant({ quotaBytes: 100 })
    await uploadFile(service, small.member, { content: 'x'.repeat(30) })
    await askForIntent(service, small.member, { byteSize: 20 })
    const query = `mutation ($input: CreateUploadIntentInput!) { createUploadIntent(input: $input) { ${refusal} } }`
    const ask = async (byteSize: number) =>
      (await service.ask(small.member, query, { input: { ...declared, byteSize } })).data.createUploadIntent
    expect(await ask(51)).toMatchObject({
      __typename: 'QuotaExceededError',
      neededBytes: 51,
      availableBytes: 50,
      message: 'The upload needs 51 bytes, but only 50 bytes of the quota are left.',
    })
    const superuser = postgres(service.testDatabase.superuserUrl, { max: 1 })
    await superuser`update tenants set quota_bytes = 10 where id = ${small.id}`
    await superuser.end()
    expect(await ask(1)).toMatchObject({ neededBytes: 1, availableBytes: 0 })
  })
})
