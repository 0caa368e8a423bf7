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
  description: 'A header to be sent as it is.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The name, in lower case.' }),
    value: t.exposeString('value', { description: 'The value.' }),
  }),
})

/** Only whoever made the intent may send its bytes. Signed once per answer, however many of the fields are asked for. */
const signed = new WeakMap<Upload, ReturnType<typeof signUpload>>()

function requestOf(upload: Upload, context: RequestContext): ReturnType<typeof signUpload> {
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
    'A promise to send one blob. Send the bytes with `fetch(url, { method, headers, body })`, then call `commitUpload`. ' +
    'A repeated request that is answered with 412 means that the bytes are there already: commit decides.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({ description: 'Opaque and global.', resolve: ({ id }) => nodeId('UploadIntent', id) }),
    state: t.field({
      type: UploadIntentStateEnum,
      description: 'Where the intent is in its life.',
      resolve: ({ state, expiresAt }, _args, context) =>
        state === 'PENDING' && expiresAt <= callerOf(context).now() ? 'EXPIRED' : state,
    }),
    name: t.exposeString('name', { description: 'The declared name.' }),
    contentType: t.exposeString('contentType', {
      description:
        'The declared media type, in lower case. `application/octet-stream` if it was empty. The file may get another: see `File.contentType`.',
    }),
    byteSize: t.expose('byteSize', { type: 'ByteSize', description: 'The declared size in bytes.' }),
    sha256: t.exposeString('sha256', { nullable: true, description: 'The declared SHA-256 in 64 hexadecimal digits.' }),
    method: t.string({ description: 'The HTTP method that sends the bytes.', resolve: () => 'PUT' }),
    url: t.string({
      nullable: true,
      description:
        'Where to send the bytes: an address that can create them once and overwrite nothing. Signed for this answer; ask ' +
        'again for a fresh one. Null once the intent has ended, and for everybody but its maker.',
      resolve: (upload, _args, context) => requestOf(upload, context)?.url ?? null,
    }),
    headers: t.field({
      type: [HttpHeader],
      description: 'The headers to send with the bytes, all of them as they are.',
      resolve: (upload, _args, context) => [...(requestOf(upload, context)?.headers ?? [])],
    }),
    urlExpiresAt: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'Until when a request to `url` can be started.',
      resolve: (upload, _args, context) => requestOf(upload, context)?.expiresAt ?? null,
    }),
    createdBy: t.field({ type: Principal, description: 'Who made it.', resolve: ({ createdBy }) => createdBy }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it can be committed.' }),
    file: t.field({
      type: File,
      nullable: true,
      description: 'The file that it made or will change; null before the commit of a new file, and in the trash.',
      resolve: ({ fileId, targetFileId }, _args, context) => {
        const id = fileId ?? targetFileId
        return id === null ? null : loadersOf(context).files.load(id)
      },
    }),
  }),
})

const UploadIntentFilter = builder.inputType('UploadIntentFilter', {
  description: 'Which upload intents to list.',
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
    description: 'An upload intent of the caller by its id; ADMIN and OWNER see everybody’s.',
    args: { id: t.arg.id({ required: true, description: 'The id of an upload intent.' }) },
    resolve: (_root, { id }, context) => loadersOf(context).uploads.load(idOf('UploadIntent', id) ?? noId),
  }),
  uploadIntents: t.connection(
    {
      type: UploadIntent,
      nullable: true,
      authScopes: { role: 'MEMBER' },
      description: 'The caller’s upload intents, newest first; ADMIN and OWNER see everybody’s.',
      args: { filter: t.arg({ type: UploadIntentFilter, description: 'Which ones.' }) },
      resolve: async (_root, { filter, ...page }, context) =>
        connectionOf(await listUploads(callerOf(context), filter?.state ?? null, page), {}),
    },
    UploadIntentConnection,
  ),
}))
