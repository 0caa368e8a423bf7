import { allOf } from '../../domain/paging/relationalPage.ts'
import { signUpload } from '../../domain/uploads/intents/createUploadIntent.ts'
import {
  uploadOrder,
  type UploadRow,
  uploadsInState,
  visibleUploads,
} from '../../domain/uploads/intents/findUploads.ts'
import { builder, relational } from '../builder.ts'
import { UploadIntentStateEnum } from '../enums.ts'
import { File } from '../files/File.ts'
import { idOf, noId } from '../globalId.ts'
import { Principal } from '../identity/Principal.ts'
import { type AskedNodes, findNodesOf, NodeInterface, nodeId } from '../node.ts'
import { readByIds, readPage } from '../relational.ts'
import { callerOf, loadersOf, type RequestContext } from '../requestContext.ts'

const HttpHeader = builder.objectRef<{ readonly name: string; readonly value: string }>('HttpHeader').implement({
  description: 'An HTTP header to send unchanged.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the header, in lower case.' }),
    value: t.exposeString('value', { description: 'The value of the header.' }),
  }),
})

type Signed = ReturnType<typeof signUpload>

/** Signs once per response, for all fields that need the request. */
const signed = new WeakMap<object, Signed>()

/** Only the creator of the intent may send its bytes. */
async function requestOf(row: UploadRow, context: RequestContext): Signed {
  const caller = callerOf(context)
  if (row.creator.id !== caller.principal.id) return null
  const known = signed.get(row)
  if (known !== undefined) return known
  const request = signUpload(caller, {
    state: row.state,
    expiresAt: row.expiresAt,
    objectKey: row.blob?.objectKey ?? null,
    contentType: row.declaredContentType,
    byteSize: row.declaredByteSize,
    sha256: row.declaredSha256,
  })
  signed.set(row, request)
  return request
}

/** No field carries a selection, because mutations return plain rows. */
export const UploadIntent = builder.drizzleObject('uploads', {
  name: 'UploadIntent',
  description:
    'A pending upload of one file. Send the bytes with `fetch(url, { method, headers, body })`, then call ' +
    '`commitUpload`. If a retry returns status 412, the bytes are already stored: call `commitUpload`.',
  interfaces: [NodeInterface],
  select: {
    columns: {
      id: true,
      state: true,
      declaredName: true,
      declaredContentType: true,
      declaredByteSize: true,
      declaredSha256: true,
      targetFileId: true,
      fileId: true,
      createdAt: true,
      expiresAt: true,
    },
    with: {
      creator: { columns: { id: true, kind: true, name: true, email: true } },
      blob: { columns: { objectKey: true } },
    },
  },
  fields: (t) => ({
    id: t.id({ description: 'The global id. Opaque.', resolve: ({ id }) => nodeId('UploadIntent', id) }),
    state: t.field({
      type: UploadIntentStateEnum,
      description: 'Where the intent is in its life.',
      resolve: ({ state, expiresAt }, _args, context) =>
        state === 'PENDING' && expiresAt <= callerOf(context).now() ? 'EXPIRED' : state,
    }),
    name: t.string({ description: 'The declared name.', resolve: ({ declaredName }) => declaredName }),
    contentType: t.string({
      description:
        'The declared media type, in lower case. `application/octet-stream` if it was empty. The type of the file ' +
        'may differ: see `File.contentType`.',
      resolve: ({ declaredContentType }) => declaredContentType,
    }),
    byteSize: t.field({
      type: 'ByteSize',
      description: 'The declared size in bytes.',
      resolve: ({ declaredByteSize }) => declaredByteSize,
    }),
    sha256: t.string({
      nullable: true,
      description: 'The declared SHA-256, as 64 hexadecimal digits.',
      resolve: ({ declaredSha256 }) => declaredSha256,
    }),
    method: t.string({ description: 'The HTTP method to send the bytes with.', resolve: () => 'PUT' }),
    url: t.string({
      nullable: true,
      description:
        'A signed URL to send the bytes to. It can create the object once and cannot overwrite it. Created for this ' +
        'response: query the intent again for a fresh one. Null if the intent is no longer pending or the caller did ' +
        'not create it.',
      resolve: async (upload, _args, context) => (await requestOf(upload, context))?.url ?? null,
    }),
    headers: t.field({
      type: [HttpHeader],
      description: 'The headers to send with the bytes, all of them unchanged.',
      resolve: async (upload, _args, context) => [...((await requestOf(upload, context))?.headers ?? [])],
    }),
    urlExpiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'The latest time to start a request to `url`.',
      resolve: async (upload, _args, context) => (await requestOf(upload, context))?.expiresAt ?? null,
    }),
    createdBy: t.field({
      type: Principal,
      description: 'The principal that created it.',
      resolve: ({ creator }) => creator,
    }),
    createdAt: t.field({
      type: 'DateTime',
      description: 'When it was created.',
      resolve: ({ createdAt }) => createdAt,
    }),
    expiresAt: t.field({
      type: 'DateTime',
      description: 'When the intent expires. Commit before this time.',
      resolve: ({ expiresAt }) => expiresAt,
    }),
    file: t.field({
      type: File,
      nullable: true,
      description:
        'The file that the upload created or will add a version to. Null before a new file is committed, and if the ' +
        'file is in the trash.',
      resolve: ({ fileId, targetFileId }, _args, context) => {
        const id = fileId ?? targetFileId
        return id === null ? null : loadersOf(context).files.load(id)
      },
    }),
  }),
})

const readUploads = (ids: readonly string[], { context, info }: AskedNodes) =>
  readByIds(UploadIntent, ids, { context, info, where: visibleUploads(callerOf(context)) })

findNodesOf('UploadIntent', { role: 'VIEWER', find: readUploads })

const UploadIntentFilter = builder.inputType('UploadIntentFilter', {
  description: 'A filter for upload intents.',
  fields: (t) => ({ state: t.field({ type: UploadIntentStateEnum, description: 'Those in this state alone.' }) }),
})

const UploadIntentEdge = builder.edgeObject({
  type: UploadIntent,
  name: 'UploadIntentEdge',
  description: 'An upload intent in a page.',
})

const UploadIntentConnection = builder.connectionObject(
  { type: UploadIntent, name: 'UploadIntentConnection', description: 'A page of upload intents.' },
  UploadIntentEdge,
)

builder.queryFields((t) => ({
  uploadIntent: t.field({
    type: UploadIntent,
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description: 'An upload intent by its id. MEMBER sees only their own intents, ADMIN and OWNER see all.',
    args: { id: t.arg.id({ required: true, description: 'The id of an upload intent.' }) },
    extensions: relational,
    resolve: async (_root, { id }, context, info) => {
      const [row] = await readUploads([idOf('UploadIntent', id) ?? noId], { context, info })
      return row ?? null
    },
  }),
  uploadIntents: t.connection(
    {
      type: UploadIntent,
      nullable: true,
      authScopes: { role: 'MEMBER' },
      description: 'Upload intents, newest first. MEMBER sees only their own intents, ADMIN and OWNER see all.',
      args: { filter: t.arg({ type: UploadIntentFilter, description: 'Which intents to list. Default: all.' }) },
      extensions: relational,
      resolve: (_root, { filter, ...page }, context, info) => {
        const caller = callerOf(context)
        const where = allOf(visibleUploads(caller), uploadsInState(caller, filter?.state ?? null, page))
        return readPage(UploadIntent, uploadOrder, page, { where, context, info })
      },
    },
    UploadIntentConnection,
  ),
}))
