import { signUpload } from '../../domain/uploads/intents/createUploadIntent.ts'
import { listUploads, type Upload } from '../../domain/uploads/intents/findUploads.ts'
import { builder, connectionOf } from '../builder.ts'
import { UploadIntentStateEnum } from '../enums.ts'
import { File } from '../files/File.ts'
import { idOf, noId } from '../globalId.ts'
import { Principal } from '../identity/Principal.ts'
import { NodeInterface, nodeId } from '../node.ts'
import { callerOf, loadersOf, type RequestContext } from '../requestContext.ts'

const HttpHeader = builder.objectRef<{ readonly name: string; readonly value: string }>('HttpHeader').implement({
  description: 'An HTTP header to send unchanged.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name of the header, in lower case.' }),
    value: t.exposeString('value', { description: 'The value of the header.' }),
  }),
})

/** Only the creator of the intent may send its bytes. Signed once per response, for any number of fields. */
const signed = new WeakMap<Upload, ReturnType<typeof signUpload>>()

async function requestOf(upload: Upload, context: RequestContext): ReturnType<typeof signUpload> {
  const caller = callerOf(context)
  if (upload.createdBy.id !== caller.principal.id) return null
  const known = signed.get(upload)
  if (known !== undefined) return known
  const request = signUpload(caller, upload)
  signed.set(upload, request)
  return request
}

export const UploadIntent = builder.objectRef<Upload>('UploadIntent').implement({
  description:
    'A pending upload of one file. Send the bytes with `fetch(url, { method, headers, body })`, then call ' +
    '`commitUpload`. If a retry returns status 412, the bytes are already stored: call `commitUpload`.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({ description: 'The global id. Opaque.', resolve: ({ id }) => nodeId('UploadIntent', id) }),
    state: t.field({
      type: UploadIntentStateEnum,
      description: 'Where the intent is in its life.',
      resolve: ({ state, expiresAt }, _args, context) =>
        state === 'PENDING' && expiresAt <= callerOf(context).now() ? 'EXPIRED' : state,
    }),
    name: t.exposeString('name', { description: 'The declared name.' }),
    contentType: t.exposeString('contentType', {
      description:
        'The declared media type, in lower case. `application/octet-stream` if it was empty. The type of the file ' +
        'may differ: see `File.contentType`.',
    }),
    byteSize: t.expose('byteSize', { type: 'ByteSize', description: 'The declared size in bytes.' }),
    sha256: t.exposeString('sha256', {
      nullable: true,
      description: 'The declared SHA-256, as 64 hexadecimal digits.',
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
      resolve: ({ createdBy }) => createdBy,
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      description: 'When the intent expires. Commit before this time.',
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
    resolve: (_root, { id }, context) => loadersOf(context).uploads.load(idOf('UploadIntent', id) ?? noId),
  }),
  uploadIntents: t.connection(
    {
      type: UploadIntent,
      nullable: true,
      authScopes: { role: 'MEMBER' },
      description: 'Upload intents, newest first. MEMBER sees only their own intents, ADMIN and OWNER see all.',
      args: { filter: t.arg({ type: UploadIntentFilter, description: 'Which intents to list. Default: all.' }) },
      resolve: async (_root, { filter, ...page }, context) =>
        connectionOf(await listUploads(callerOf(context), filter?.state ?? null, page), {}),
    },
    UploadIntentConnection,
  ),
}))
