import { type GraphQLField, getNamedType, isNonNullType, isObjectType } from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { schema } from '../src/graphql/schema.ts'
import { type Data, startTestService, type TestService, type TestTenant, uploadFile } from './testService.ts'

let service: TestService
let tenant: TestTenant
let file: Data

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
  file = await uploadFile(service, tenant.owner)
  await service.ask(
    tenant.owner,
    `mutation { attachFile(input: { fileId: "${file.id}", ownerType: "a/b", ownerId: "a/b" }) { __typename } }`,
  )
  await service.ask(tenant.owner, 'mutation { createApiKey(input: { name: "one", role: VIEWER }) { __typename } }')
  await service.ask(tenant.owner, 'mutation { runCleanup(input: { kind: PURGE_FILES }) { __typename } }')
})

afterAll(() => service.close())

/** Every connection of the schema, with what leads to it from the root. */
const connections = ['Query', 'File'].flatMap((name) => {
  const type = schema.getType(name)
  const fields = isObjectType(type) ? Object.values(type.getFields()) : []
  return fields
    .filter((field) => getNamedType(field.type).name.endsWith('Connection'))
    .map((field) => [name, field] as const)
})

const argumentsOf = (field: GraphQLField<unknown, unknown>, size: string) =>
  [size, ...field.args.filter(({ type }) => isNonNullType(type)).map(({ name }) => `${name}: "a/b"`)].join(', ')

async function page(type: string, field: GraphQLField<unknown, unknown>, size: string) {
  const written = `page: ${field.name}(${argumentsOf(field, size)}) {
    edges { cursor } nodes { id } pageInfo { hasNextPage hasPreviousPage startCursor endCursor } }`
  const query = type === 'Query' ? `{ ${written} }` : `{ page: file(id: "${file.id}") { ${written} } }`
  const { data, errors } = await service.ask(tenant.owner, query)
  return { page: type === 'Query' ? data?.page : data?.page?.page, errors }
}

describe.each(connections.map(([type, field]) => [`${type}.${field.name}`, type, field] as const))(
  'the connection %s',
  (_name, type, field) => {
    it('has an empty page for a size of 0, which reports that there are rows', async () => {
      const isLongest = { edges: [], nodes: [] }
      const none = { startCursor: null, endCursor: null }
      expect(await page(type, field, 'first: 0')).toEqual({
        page: { ...isLongest, pageInfo: { hasNextPage: true, hasPreviousPage: false, ...none } },
      })
      expect(await page(type, field, 'last: 0')).toEqual({
        page: { ...isLongest, pageInfo: { hasNextPage: false, hasPreviousPage: true, ...none } },
      })
    })

    it.each(['first: -1', 'last: -1', 'first: 101', 'last: 2147483647'])(
      'refuses %s and names the limits',
      async (size) => {
        const { page: refused, errors } = await page(type, field, size)
        expect(refused ?? null).toBeNull()
        expect(errors?.[0]).toMatchObject({
          message: `${size.split(':')[0]} must be between 0 and 100.`,
          extensions: { code: 'BAD_USER_INPUT' },
        })
      },
    )
  },
)
