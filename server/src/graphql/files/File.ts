import type { File as FileRow } from '../../domain/files/findFiles.ts'
import { countFiles, type FileFilter, listFiles } from '../../domain/files/listFiles.ts'
import { typePrefix } from '../../domain/mediaTypes/typePattern.ts'
import { BadInput } from '../../domain/refusals.ts'
import { Attachment, AttachmentConnection } from '../attachments/Attachment.ts'
import { builder, connectionOf } from '../builder.ts'
import { DispositionEnum, FileOrderEnum, FileStateEnum, RetentionEnum } from '../enums.ts'
import { idOf, noId, versionKey } from '../globalId.ts'
import { Principal } from '../identity/Principal.ts'
import { NodeInterface, nodeId } from '../node.ts'
import { callerOf, loadersOf } from '../requestContext.ts'
import { FileVersion, FileVersionConnection } from './FileVersion.ts'
import { downloadUrl } from './downloadUrl.ts'

const LegalHold = builder.objectRef<FileRow>('LegalHold').implement({
  description: 'Why a file must neither be deleted nor purged.',
  fields: (t) => ({
    heldAt: t.field({ type: 'DateTime', description: 'Since when.', resolve: ({ heldAt }) => heldAt ?? new Date(0) }),
    heldBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who put the file under hold.',
      resolve: ({ heldById }, _args, context) =>
        heldById === null ? null : loadersOf(context).principals.load(heldById),
    }),
    reason: t.string({
      description: 'Why, in the words of whoever did.',
      resolve: ({ holdReason }) => holdReason ?? '',
    }),
  }),
})

export const File = builder.objectRef<FileRow>('File').implement({
  description: 'A name in the tenant’s tree with a current version.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({ description: 'Opaque and global.', resolve: ({ id }) => nodeId('File', id) }),
    name: t.exposeString('name', {
      description: 'As people wrote it. It may hold any script; escape it where it is shown.',
    }),
    contentType: t.exposeString('contentType', {
      description:
        'The media type of the current version, under its usual name: `application/zip` for `application/x-zip-compressed`. ' +
        'The first bytes decide it where they are certain, otherwise the declaration. May carry `charset` and `codecs`.',
    }),
    byteSize: t.expose('byteSize', { type: 'ByteSize', description: 'The size of the current version in bytes.' }),
    sha256: t.exposeString('sha256', {
      nullable: true,
      description:
        'SHA-256 of the current version in 64 hexadecimal digits. Null until it is proved: see `FileVersion.sha256`.',
    }),
    state: t.field({
      type: FileStateEnum,
      description: 'Where the file is in its life.',
      resolve: ({ deletedAt, purgedAt }) => (purgedAt ? 'PURGED' : deletedAt ? 'TRASHED' : 'READY'),
    }),
    uploadedBy: t.field({
      type: Principal,
      description: 'Who uploaded the first version.',
      resolve: (file) => file.uploadedBy,
    }),
    uploadedAt: t.expose('uploadedAt', { type: 'DateTime', description: 'When the first version was committed.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When anything about the file last changed.' }),
    deletedAt: t.expose('deletedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Since when it is in the trash.',
    }),
    deletedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'Who put it into the trash.',
      resolve: ({ deletedById }, _args, context) =>
        deletedById === null ? null : loadersOf(context).principals.load(deletedById),
    }),
    version: t.field({
      type: FileVersion,
      description: 'The current version.',
      resolve: async (file, _args, context) => {
        const { id, version } = file
        const current = await loadersOf(context).versions.load(versionKey(id, version))
        if (!current) throw new Error(`File ${id} has lost its version ${version}`)
        return { ...current, file }
      },
    }),
    versions: t.connection(
      {
        type: FileVersion,
        description: 'All versions, newest first.',
        resolve: async (file, args, context) => {
          const { edges, pageInfo } = await loadersOf(context).versionPages(args).load(file.id)
          const withFile = edges.map(({ cursor, node }) => ({ cursor, node: { ...node, file } }))
          return connectionOf({ edges: withFile, pageInfo }, {})
        },
      },
      FileVersionConnection,
    ),
    attachments: t.connection(
      {
        type: Attachment,
        description: 'Who uses the file, oldest first. A file with attachments cannot be deleted.',
        resolve: async ({ id }, args, context) =>
          connectionOf(await loadersOf(context).attachmentPages(args).load(id), {}),
      },
      AttachmentConnection,
    ),
    attachmentCount: t.exposeInt('attachmentCount', { description: 'How many rows of host applications use it.' }),
    retention: t.field({
      type: RetentionEnum,
      description: 'How long the file stays.',
      resolve: ({ retention }) => retention,
    }),
    hold: t.field({
      type: LegalHold,
      nullable: true,
      description: 'The legal hold that it is under: nobody deletes it and nothing purges it.',
      resolve: (file) => (file.heldAt ? file : null),
    }),
    quarantinedAt: t.expose('quarantinedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'Since when the bucket is known not to hold the bytes of the current version as they were committed; null while all is well.',
    }),
    purgeAfter: t.field({
      type: 'DateTime',
      nullable: true,
      description: 'When its time in the trash is over; null for a file that is not there, or that is held.',
      resolve: ({ deletedAt, purgedAt, heldAt, policy }) =>
        deletedAt && !purgedAt && !heldAt ? new Date(deletedAt.getTime() + policy.trashDays * 86_400_000) : null,
    }),
    downloadUrl: t.string({
      nullable: true,
      description:
        'A URL that reads the current version under the name of the file. Signed for this response and not stored. Null while ' +
        'the file is in the trash or its bytes are in quarantine: then `versions` may have one that can be read. Use ' +
        '`issueDownloadUrl` if the audit log has to show who downloaded what.',
      args: {
        disposition: t.arg({
          type: DispositionEnum,
          defaultValue: 'ATTACHMENT',
          description: 'What a browser does with it. Default: ATTACHMENT.',
        }),
        expiresInSeconds: t.arg.int({
          description: 'How long the URL works. Default: 600. At most `Tenant.downloadUrlMaxSeconds`.',
        }),
      },
      resolve: (file, args, context) => downloadUrl(file, file, args, context),
    }),
  }),
})

builder.objectField(Attachment, 'file', (t) =>
  t.field({
    type: File,
    description: 'The file, which is not in the trash as long as it is attached.',
    resolve: async ({ id, fileId }, _args, context) => {
      const file = await loadersOf(context).files.load(fileId)
      if (!file) throw new Error(`Attachment ${id} has lost its file`)
      return file
    },
  }),
)

const FileFilterInput = builder.inputType('FileFilter', {
  description: 'Which files to list. Conditions are joined by "and".',
  fields: (t) => ({
    state: t.field({ type: FileStateEnum, description: 'READY unless told.' }),
    contentTypePrefix: t.string({
      description:
        'The media type or the beginning of it: `application/pdf`, `image/`, `image` or `image/*`. Synonyms of a type find ' +
        'the same files. `*/*` finds all.',
    }),
    uploadedById: t.id({ description: 'The id of the principal who uploaded the first version.' }),
  }),
})

type ListedFiles = { readonly filter: FileFilter }

const FileEdge = builder.edgeObject({ type: File, name: 'FileEdge', description: 'A file in a page.' })

const BoundedCount = builder.objectRef<{ value: number; isExact: boolean }>('BoundedCount').implement({
  description: 'A count that stops at a bound instead of slowing down.',
  fields: (t) => ({
    value: t.exposeInt('value', { description: 'How many there are, or at least are.' }),
    isExact: t.exposeBoolean('isExact', { description: 'False where there are more than were counted.' }),
  }),
})

const FileConnection = builder.connectionObject(
  {
    type: File,
    name: 'FileConnection',
    description: 'A page of files.',
    fields: (t) => ({
      totalCount: t.field({
        type: BoundedCount,
        description: 'How many files match. Costs a statement of its own, and only when it is asked for.',
        resolve: (connection, _args, context) =>
          countFiles(callerOf(context), (connection as unknown as ListedFiles).filter),
      }),
    }),
  },
  FileEdge,
)

builder.queryFields((t) => ({
  file: t.field({
    type: File,
    nullable: true,
    authScopes: { role: 'VIEWER' },
    description:
      'A file by its id. Null if the id is unknown or of another tenant, or if the file is in the trash and ' +
      '`includesTrashed` is not set. A purged file is always null.',
    args: {
      id: t.arg.id({ required: true, description: 'The id of a file.' }),
      includesTrashed: t.arg.boolean({ defaultValue: false, description: 'Whether to find a file in the trash too.' }),
    },
    resolve: (_root, { id, includesTrashed }, context) => {
      const { files, filesAndTrash } = loadersOf(context)
      return (includesTrashed ? filesAndTrash : files).load(idOf('File', id) ?? noId)
    },
  }),
  files: t.connection(
    {
      type: File,
      nullable: true,
      authScopes: { role: 'VIEWER' },
      description: 'The files of the tenant, newest first unless told. A deep page costs what the first one costs.',
      args: {
        filter: t.arg({ type: FileFilterInput, description: 'Which files.' }),
        orderBy: t.arg({
          type: FileOrderEnum,
          defaultValue: 'NEWEST_FIRST',
          description: 'In which order.',
        }),
      },
      resolve: async (_root, { filter: asked, orderBy, ...page }, context) => {
        const filter = acceptFilter(asked ?? {})
        const rows = await listFiles(callerOf(context), filter, orderBy === 'OLDEST_FIRST', page)
        return connectionOf(rows, { filter })
      },
    },
    FileConnection,
  ),
}))

interface AskedFilter {
  readonly state?: 'READY' | 'TRASHED' | 'PURGED' | null | undefined
  readonly contentTypePrefix?: string | null | undefined
  readonly uploadedById?: string | null | undefined
}

function acceptFilter({ state, contentTypePrefix, uploadedById }: AskedFilter): FileFilter {
  if (state === 'PURGED') throw new BadInput('Purged files are in no list.')
  const prefix = typePrefix(contentTypePrefix ?? '')
  if (prefix === null) throw new BadInput('contentTypePrefix is neither a media type nor the beginning of one.')
  return {
    trashed: state === 'TRASHED',
    contentTypePrefix: prefix === '' ? null : prefix,
    uploadedById:
      uploadedById === null || uploadedById === undefined ? null : (idOf('Principal', uploadedById) ?? noId),
  }
}
