import { randomUUID } from 'node:crypto'
import {
  type GraphQLArgument,
  type GraphQLInputType,
  isEnumType,
  isInputObjectType,
  isListType,
  isNonNullType,
} from 'graphql'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createApiKey } from '../src/domain/identity/keys/apiKeys.ts'
import { globalId, type NodeType } from '../src/graphql/globalId.ts'
import { schema } from '../src/graphql/schema.ts'
import {
  askForIntent,
  type Data,
  startTestService,
  type TestService,
  type TestTenant,
  uploadFile,
} from './testService.ts'

let service: TestService
let mine: TestTenant
let theirs: TestTenant
const foreign: Partial<Record<NodeType, string>> = {}

beforeAll(async () => {
  service = await startTestService()
  mine = await service.createTenant()
  theirs = await service.createTenant()
  const file = await uploadFile(service, theirs.member)
  const { uploadIntent } = await askForIntent(service, theirs.member)
  const attach = `mutation ($fileId: ID!) { attachFile(input: { fileId: $fileId, ownerType: "invoice", ownerId: "1" }) {
    ... on AttachFileSuccess { file { attachments { nodes { id } } } } } }`
  const attached = (await service.ask(theirs.member, attach, { fileId: file.id })).data.attachFile.file
  const run = `mutation { runCleanup(input: { kind: PURGE_FILES }) { ... on RunCleanupSuccess { cleanupRun { id } } } }`
  const requested = (await service.ask(theirs.admin, run)).data.runCleanup.cleanupRun
  const { apiKey } = await createApiKey(service.contextOf(theirs.owner), {
    name: 'theirs',
    role: 'VIEWER',
    expiresAt: null,
  })
  const { data } = await service.ask(theirs.owner, '{ auditLog(first: 1) { nodes { id } } tenant { id } }')
  Object.assign(foreign, {
    File: file.id,
    FileVersion: (
      await service.ask(theirs.viewer, 'query ($id: ID!) { file(id: $id) { version { id } } }', { id: file.id })
    ).data.file.version.id,
    UploadIntent: uploadIntent.id,
    Attachment: attached.attachments.nodes[0].id,
    CleanupRun: requested.id,
    ApiKey: globalId('ApiKey', apiKey.id),
    AuditEntry: data.auditLog.nodes[0].id,
    Tenant: data.tenant.id,
    Principal: globalId('Principal', theirs.member.id),
  } satisfies Record<NodeType, string>)
})

afterAll(() => service.close())

/** Ids that lead nowhere for me: the foreign one, and others that were never given out. */
const strangers = (type: NodeType) => [
  foreign[type] ?? '',
  globalId(type, type === 'FileVersion' ? `${randomUUID()}.1` : randomUUID()),
  globalId(type, 'nonsense'),
  globalId(type === 'File' ? 'Tenant' : 'File', randomUUID()),
  'nonsense',
  '',
  'a\0b',
  'A'.repeat(10_000),
]

const hasId = (type: GraphQLInputType): boolean => {
  if (isNonNullType(type) || isListType(type)) return hasId(type.ofType)
  return isInputObjectType(type)
    ? Object.values(type.getFields()).some((field) => hasId(field.type))
    : String(type) === 'ID'
}

/** A value for an argument: the id wherever one is asked for, anything valid elsewhere. */
function valueFor(type: GraphQLInputType, id: string): unknown {
  if (isNonNullType(type)) return valueFor(type.ofType, id)
  if (isListType(type)) return [valueFor(type.ofType, id)]
  if (isEnumType(type)) return type.getValues()[0]?.name
  if (!isInputObjectType(type))
    return (
      ({ ID: id, ByteSize: 1, DateTime: new Date(0).toISOString(), Int: 60 } as Record<string, unknown>)[
        String(type)
      ] ?? 'a/b'
    )
  const fields = Object.values(type.getFields()).filter((field) => isNonNullType(field.type) || hasId(field.type))
  const value = Object.fromEntries(fields.map((field) => [field.name, valueFor(field.type, id)]))
  return type.name === 'CreateUploadIntentInput' ? { ...value, name: 'a.txt' } : value
}

const rootFields = (['query', 'mutation'] as const).flatMap((operation) => {
  const root = operation === 'query' ? schema.getQueryType() : schema.getMutationType()
  return Object.values(root?.getFields() ?? {})
    .filter((field) => field.args.some((argument) => hasId(argument.type)))
    .map((field) => ({
      operation,
      name: field.name,
      args: [...field.args],
      type: String(field.type).replaceAll(/[[\]!]/g, ''),
    }))
})

const typesOf: Record<string, NodeType[]> = {
  node: [
    'File',
    'FileVersion',
    'UploadIntent',
    'Attachment',
    'CleanupRun',
    'ApiKey',
    'AuditEntry',
    'Tenant',
    'Principal',
  ],
  nodes: [
    'File',
    'FileVersion',
    'UploadIntent',
    'Attachment',
    'CleanupRun',
    'ApiKey',
    'AuditEntry',
    'Tenant',
    'Principal',
  ],
  files: ['Principal'],
  auditLog: ['Principal', 'File'],
  uploadIntent: ['UploadIntent'],
  commitUpload: ['UploadIntent'],
  cancelUpload: ['UploadIntent'],
  revokeApiKey: ['ApiKey'],
}

const selection = (type: string) =>
  type.endsWith('Connection')
    ? '{ nodes { id } pageInfo { hasNextPage endCursor } }'
    : type.endsWith('Result')
      ? '{ __typename ... on Error { code message } }'
      : '{ __typename id }'

describe('every field that takes an id', () => {
  it('is in the list of this test', () => {
    expect(rootFields.map((field) => field.name).toSorted()).toEqual(
      [
        'attachFile',
        'auditLog',
        'cancelUpload',
        'changeRetention',
        'commitUpload',
        'createUploadIntent',
        'deleteFile',
        'detachFile',
        'file',
        'files',
        'holdFile',
        'issueDownloadUrl',
        'node',
        'nodes',
        'purgeFile',
        'releaseFile',
        'renameFile',
        'replaceAttachment',
        'restoreFile',
        'revokeApiKey',
        'uploadIntent',
      ].toSorted(),
    )
  })

  it.each(rootFields)(
    'answers a foreign id and a missing one in the same bytes: $name',
    async ({ operation, name, args, type }) => {
      const wanted = args.filter((argument: GraphQLArgument) => isNonNullType(argument.type) || hasId(argument.type))
      const variables = wanted.map((argument) => `$${argument.name}: ${String(argument.type)}`).join(', ')
      const passed = wanted.map((argument) => `${argument.name}: $${argument.name}`).join(', ')
      const text = `${operation} (${variables}) { ${name}(${passed}) ${selection(type)} }`
      for (const node of typesOf[name] ?? (['File'] as const)) {
        const answers = new Set<string>()
        for (const id of strangers(node)) {
          const values = Object.fromEntries(wanted.map((argument) => [argument.name, valueFor(argument.type, id)]))
          answers.add(JSON.stringify(await service.ask(mine.owner, text, values)))
        }
        expect([...answers]).toHaveLength(1)
      }
    },
  )

  it('finds each of them for its own tenant, so that the test above is meaningful', async () => {
    const { data } = await service.ask(theirs.owner, 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }', {
      ids: Object.values(foreign),
    })
    expect(data.nodes).toEqual(Object.entries(foreign).map(([__typename, id]) => ({ __typename, id })))
  })
})

describe('a tenant', () => {
  it('sees no other tenant in any list', async () => {
    const { data } = await service.ask(
      mine.owner,
      `{ files { nodes { id } totalCount { value } } trash: files(filter: { state: TRASHED }) { nodes { id } }
         uploadIntents { nodes { id } } cleanupRuns { nodes { id } } attachmentsOf(ownerType: "invoice", ownerId: "1") { nodes { id } } apiKeys { nodes { id } } usage { fileCount storedBytes } viewer { tenants { slug } }
         auditLog(first: 100) { nodes { actor { name } subject { name } } } }`,
    )
    expect(data).toMatchObject({
      files: { nodes: [], totalCount: { value: 0 } },
      trash: { nodes: [] },
      uploadIntents: { nodes: [] },
      cleanupRuns: { nodes: [] },
      attachmentsOf: { nodes: [] },
      apiKeys: { nodes: [] },
      usage: { fileCount: 0, storedBytes: 0 },
      viewer: { tenants: [{ slug: mine.slug }] },
    })
    expect(JSON.stringify(data.auditLog)).not.toContain(theirs.slug)
  })

  it('cannot read nodes that the role may not see, as if they did not exist', async () => {
    const query = 'query ($ids: [ID!]!) { nodes(ids: $ids) { __typename } }'
    const ids = [foreign.AuditEntry, foreign.ApiKey, foreign.UploadIntent]
    expect((await service.ask(theirs.viewer, query, { ids })).data.nodes).toEqual([null, null, null])
  })

  it('ignores a cursor of another list, and reads no other tenant through one', async () => {
    await uploadFile(service, mine.member, { name: 'mine.txt' })
    const cursorOf = async (query: string) => {
      const { data } = await service.ask(theirs.owner, query)
      const [list] = Object.values(data as Record<string, Data>)
      return list.edges[0].cursor as string
    }
    const cursors = [
      await cursorOf('{ files { edges { cursor } } }'),
      await cursorOf('{ auditLog { edges { cursor } } }'),
      await cursorOf('{ uploadIntents { edges { cursor } } }'),
      'nonsense',
      'a\0b',
    ]
    for (const after of cursors.slice(1)) {
      const { data } = await service.ask(
        mine.viewer,
        'query ($after: String) { files(after: $after) { nodes { name } } }',
        { after },
      )
      expect(data.files.nodes).toEqual([{ name: 'mine.txt' }])
    }
    const { data } = await service.ask(
      mine.viewer,
      'query ($after: String) { files(before: $after) { nodes { name } } }',
      { after: cursors[0] },
    )
    expect(data.files.nodes).toEqual([{ name: 'mine.txt' }])
  })
})
