import {
  type GraphQLArgument,
  type GraphQLInputField,
  isInputObjectType,
  isInterfaceType,
  isIntrospectionType,
  isObjectType,
} from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { schema } from '../src/graphql/schema.ts'
import { type Data, startTestService, type TestService, type TestTenant, uploadFile } from './testService.ts'

let service: TestService
let tenant: TestTenant

beforeAll(async () => {
  service = await startTestService()
  tenant = await service.createTenant()
})

afterAll(() => service.close())

describe('a refusal', () => {
  it('of one mutation keeps the answers of the others', async () => {
    const [kept, trashed] = [await uploadFile(service, tenant.member), await uploadFile(service, tenant.member)]
    const answer = await service.ask(
      tenant.member,
      `mutation ($kept: ID!, $trashed: ID!) {
        a: deleteFile(input: { id: $trashed }) { ... on DeleteFileSuccess { file { id state } } }
        b: purgeFile(input: { id: $trashed }) { __typename }
        c: renameFile(input: { id: $kept, name: "c.txt" }) { ... on RenameFileSuccess { file { name } } }
      }`,
      { kept: kept.id, trashed: trashed.id },
    )
    expect(answer.data).toEqual({
      a: { file: { id: trashed.id, state: 'TRASHED' } },
      b: null,
      c: { file: { name: 'c.txt' } },
    })
    expect(answer.errors).toMatchObject([{ path: ['b'], extensions: { code: 'FORBIDDEN' } }])
    expect(answer.status).toBe(200)
  })

  it('of one root field keeps the answers of the others', async () => {
    const query = '{ viewer { role } auditLog { nodes { id } } cleanupRuns { nodes { id } } tenant { id } }'
    const answer = await service.ask(tenant.viewer, query)
    expect(answer.data).toMatchObject({ viewer: { role: 'VIEWER' }, auditLog: null, cleanupRuns: null })
    expect(answer.data.tenant.id).toBeTypeOf('string')
    expect(answer.errors?.map(({ path, extensions }) => [path, extensions.code])).toEqual([
      [['auditLog'], 'FORBIDDEN'],
      [['cleanupRuns'], 'FORBIDDEN'],
    ])
    expect(answer.status).toBe(200)
  })
})

const owner = 'fileId: $id, ownerType: "invoice", ownerId: "1"'
const attachment = '__typename ... on Error { message }'

/** For each argument or input field with a default: a document with `NULL` where the value stands. */
const cases: Record<string, string> = {
  'File.downloadUrl(disposition)': 'query ($id: ID!) { file(id: $id) { downloadUrl(disposition: NULL) } }',
  'FileVersion.downloadUrl(disposition)': `query ($id: ID!) {
    file(id: $id) { version { downloadUrl(disposition: NULL) } } }`,
  'Query.file(includesTrashed)': 'query ($id: ID!) { file(id: $id, includesTrashed: NULL) { id } }',
  'Query.files(orderBy)': 'query ($id: ID!) { file(id: $id) { id } files(orderBy: NULL) { nodes { id } } }',
  'IssueDownloadUrlInput.disposition': `mutation ($id: ID!) {
    issueDownloadUrl(input: { id: $id, disposition: NULL }) { ... on IssueDownloadUrlSuccess { url } } }`,
  'AttachFileInput.slot': `mutation ($id: ID!) { attachFile(input: { ${owner}, slot: NULL }) { ${attachment} } }`,
  'DetachFileInput.slot': `mutation ($id: ID!) { detachFile(input: { ${owner}, slot: NULL }) { ${attachment} } }`,
  'ReplaceAttachmentInput.slot': `mutation ($id: ID!) {
    replaceAttachment(input: { ${owner}, slot: NULL }) { ${attachment} } }`,
  'RunCleanupInput.isDryRun': `mutation { runCleanup(input: { kind: PURGE_FILES, isDryRun: NULL }) {
    ... on RunCleanupSuccess { cleanupRun { isDryRun exceedsBrake } } } }`,
  'RunCleanupInput.exceedsBrake': `mutation { runCleanup(input: { kind: PURGE_FILES, exceedsBrake: NULL }) {
    ... on RunCleanupSuccess { cleanupRun { isDryRun exceedsBrake } } } }`,
}

function withDefaults(): string[] {
  const hasDefault = ({ defaultValue }: GraphQLArgument | GraphQLInputField) => defaultValue !== undefined
  return Object.values(schema.getTypeMap()).flatMap((type) => {
    if (isIntrospectionType(type)) return []
    if (isInputObjectType(type)) {
      const fields = Object.values(type.getFields()).filter(hasDefault)
      return fields.map(({ name }) => `${type.name}.${name}`)
    }
    if (!isObjectType(type) && !isInterfaceType(type)) return []
    return Object.values(type.getFields()).flatMap((field) =>
      field.args.filter(hasDefault).map(({ name }) => `${type.name}.${field.name}(${name})`),
    )
  })
}

/** Signed addresses differ by the time at which they were signed. */
const unsigned = (answer: unknown): unknown =>
  JSON.parse(JSON.stringify(answer).replace(/X-Amz-(Date|Signature)=[^&"]+/g, 'X-Amz-$1='))

describe('an argument with a default', () => {
  it('is tested with null below, each of them', () => {
    expect(withDefaults().sort()).toEqual(Object.keys(cases).sort())
  })

  it.each(Object.entries(cases))('accepts null as its default: %s', async (_name, text) => {
    const file = await uploadFile(service, tenant.member, { content: 'same' })
    const name = /(\w+): NULL/.exec(text)?.[1] ?? ''
    const type =
      name === 'slot' ? 'String' : name === 'orderBy' ? 'FileOrder' : name === 'disposition' ? 'Disposition' : 'Boolean'
    const omitted = text.replace(new RegExp(`,? *${name}: NULL`), '').replace('()', '')
    const asVariable = text
      .replace('NULL', '$value')
      .replace(/^(query|mutation) (?:\((.*?)\) )?/, `$1 ($value: ${type}, $2) `)
      .replace(', )', ')')
    const ask = async (query: string, variables: Data = {}) => {
      let answer
      // A query that comes again is compiled.
      for (let times = 0; times < 4; times += 1)
        answer = await service.ask(tenant.admin, query, { id: file.id, ...variables })
      return unsigned(answer)
    }
    const expected = await ask(omitted)
    expect(expected).toMatchObject({ status: 200 })
    expect(expected).not.toHaveProperty('errors')
    expect(await ask(text.replace('NULL', 'null'))).toEqual(expected)
    expect(await ask(asVariable, { value: null })).toEqual(expected)
    expect(await ask(asVariable)).toEqual(expected)
  })
})
