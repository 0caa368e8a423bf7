import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type Data, startTestService, type TestService, type TestTenant, uploadFile } from './testService.ts'

let service: TestService
let tenant: TestTenant
let stranger: TestTenant

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  stranger = await service.createTenant()
})

afterAll(() => service.close())

async function trashedFile(): Promise<Data> {
  const file = await uploadFile(service, tenant.member)
  const mutation = `mutation { deleteFile(input: { id: "${file.id}" }) { __typename } }`
  expect((await service.ask(tenant.member, mutation)).data.deleteFile.__typename).toBe('DeleteFileSuccess')
  return file
}

const byId =
  'query ($id: ID!, $trash: Boolean) { file(id: $id, includesTrashed: $trash) { id state downloadUrl version { number } } }'
const byNode = `query ($id: ID!) {
  node(id: $id) { id ... on File { state downloadUrl } }
  nodes(ids: [$id]) { id }
}`

describe('a file in the trash', () => {
  it('is found by file(includesTrashed: true) for roles that may list the trash, without a URL', async () => {
    const { id } = await trashedFile()
    for (const who of [tenant.viewer, tenant.member, tenant.owner]) {
      const found = { file: { id, state: 'TRASHED', downloadUrl: null, version: { number: 1 } } }
      expect((await service.ask(who, byId, { id, trash: true })).data).toEqual(found)
      expect((await service.ask(who, byId, { id, trash: false })).data).toEqual({ file: null })
      expect((await service.ask(who, byId, { id })).data).toEqual({ file: null })
    }
  })

  it('is found by node and nodes for MEMBER and above, with its versions', async () => {
    const { id } = await trashedFile()
    const { data } = await service.ask(tenant.viewer, byId.replace('version { number }', 'version { id }'), {
      id,
      trash: true,
    })
    const version = data.file.version.id
    for (const who of [tenant.member, tenant.admin, tenant.owner]) {
      const found = { node: { id, state: 'TRASHED', downloadUrl: null }, nodes: [{ id }] }
      expect((await service.ask(who, byNode, { id })).data).toEqual(found)
      expect((await service.ask(who, byNode, { id: version })).data.node).toEqual({ id: version })
    }
    expect((await service.ask(tenant.viewer, byNode, { id })).data).toEqual({ node: null, nodes: [null] })
    expect((await service.ask(tenant.viewer, byNode, { id: version })).data.node).toBeNull()
  })

  it('of another tenant looks exactly like one that does not exist', async () => {
    const { id } = await trashedFile()
    const unknown = Buffer.from('File:01890000-0000-7000-8000-000000000000').toString('base64url')
    for (const [query, more] of [
      [byId, { trash: true }],
      [byNode, {}],
    ] as const) {
      const foreign = await service.ask(stranger.owner, query, { id, ...more })
      const missing = await service.ask(stranger.owner, query, { id: unknown, ...more })
      expect(JSON.stringify(foreign)).toBe(JSON.stringify(missing))
    }
  })

  it('is found by nobody once it is purged', async () => {
    const { id } = await trashedFile()
    const purge = `mutation { purgeFile(input: { id: "${id}" }) { __typename } }`
    expect((await service.ask(tenant.admin, purge)).data.purgeFile.__typename).toBe('PurgeFileSuccess')
    expect((await service.ask(tenant.owner, byId, { id, trash: true })).data).toEqual({ file: null })
    expect((await service.ask(tenant.owner, byNode, { id })).data).toEqual({ node: null, nodes: [null] })
  })
})
