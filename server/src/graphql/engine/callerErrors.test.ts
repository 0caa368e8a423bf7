import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestService, type TestService, type TestTenant, uploadFile } from '../../../test/testService.ts'

let service: TestService
let tenant: TestTenant

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
})

afterAll(() => service.close())

type Case = [text: string, variables: Record<string, unknown>]

const anonymous: Case[] = [
  ['query ($b: Boolean = true) { __typename @include(if: $b) }', { b: null }],
  ['query ($b: Boolean = true) { __typename @skip(if: $b) }', { b: null }],
  ['query ($b: Boolean = true) { ...a } fragment a on Query { __typename @skip(if: $b) }', { b: null }],
  ['query ($b: Boolean = true) { __schema { queryType { name @include(if: $b) } } }', { b: null }],
  ['query ($n: String = "File") { __type(name: $n) { name } }', { n: null }],
  ['query ($b: Boolean!) { __typename @include(if: $b) }', { b: 'yes' }],
  ['query ($b: Boolean!) { __typename @include(if: $b) }', {}],
]

const known: Case[] = [
  ['query ($id: ID = "x") { file(id: $id) { id } }', { id: null }],
  ['query ($id: ID = "x") { nodes(ids: [$id]) { id } }', { id: null }],
  ['query ($first: Int) { files(first: $first) { nodes { id } } }', { first: 2 ** 31 }],
  ['query ($first: Int) { files(first: $first) { nodes { id } } }', { first: 1.5 }],
  ['query ($o: FileOrder) { files(orderBy: $o) { nodes { id } } }', { o: 'JUNK' }],
  [
    'query ($f: FileFilter) { files(filter: $f) { nodes { id } } }',
    { f: Object.fromEntries(Array.from({ length: 200 }, (_, at) => [`k${at}`, at])) },
  ],
  ['query ($ids: [ID!]!) { nodes(ids: $ids) { id } }', { ids: Array.from({ length: 300 }, () => ({})) }],
  ['mutation ($id: ID = "x") { deleteFile(input: { id: $id }) { __typename } }', { id: null }],
  ['query ($t: DateTime) { auditLog(filter: { since: $t }) { nodes { id } } }', { t: 'yesterday' }],
]

describe('an invalid value of a variable', () => {
  it.each(anonymous)('is BAD_USER_INPUT without credentials: %s with %j', async (text, variables) => {
    const { errors, status } = await service.ask(null, text, variables)
    expect(errors?.map(({ extensions }) => extensions.code)).toContain('BAD_USER_INPUT')
    expect(JSON.stringify(errors)).not.toContain('INTERNAL_SERVER_ERROR')
    expect(status).toBeLessThan(500)
  })

  it.each([...anonymous, ...known])('is BAD_USER_INPUT on every repetition: %s with %j', async (text, variables) => {
    for (let times = 0; times < 4; times += 1) {
      const { errors, status } = await service.ask(tenant.admin, text, variables)
      expect(errors?.map(({ extensions }) => extensions.code)).toContain('BAD_USER_INPUT')
      expect(JSON.stringify(errors)).not.toContain('INTERNAL_SERVER_ERROR')
      expect(JSON.stringify(errors).length).toBeLessThan(10_000)
      expect(status).toBeLessThan(500)
    }
  })
})

describe('a query that fails after it was compiled', () => {
  it('sends its statements once, and returns the data that did not fail', async () => {
    const { id } = await uploadFile(service, tenant.member)
    const text = `{ file(id: "${id}") { name downloadUrl(expiresInSeconds: 999999999) } usage { fileCount } }`
    const answers = []
    const counts = []
    for (let times = 0; times < 4; times += 1) {
      service.statements.length = 0
      answers.push(JSON.stringify(await service.ask(tenant.viewer, text)))
      counts.push(service.statements.length)
    }
    expect(new Set(counts).size).toBe(1)
    expect(new Set(answers).size).toBe(1)
    expect(JSON.parse(answers[3] ?? '')).toMatchObject({
      data: { file: { name: 'hello.txt', downloadUrl: null }, usage: { fileCount: 1 } },
      errors: [{ path: ['file', 'downloadUrl'], locations: [{ line: 1 }], extensions: { code: 'BAD_USER_INPUT' } }],
      status: 200,
    })
  })
})
