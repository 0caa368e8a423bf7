import type { File as FileRow } from '../../domain/files/findFiles.ts'
import { countFiles, type FileFilter, listFiles } from '../../domain/files/listFiles.ts'
import { limits } from '../../domain/limits.ts'
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

interface Hold {
  readonly heldAt: Date
  readonly heldById: string
  readonly reason: string
}

/** The constraint `files_held` sets all three columns or none. */
function holdOf({ id, heldAt, heldById, holdReason: reason }: FileRow): Hold | null {
  if (heldAt === null) return null
  if (heldById === null || reason === null) throw new Error(`The hold on file ${id} does not say by whom or why`)
  return { heldAt, heldById, reason }
}

const LegalHold = builder.objectRef<Hold>('LegalHold').implement({
  description: 'A legal hold: the file can be neither deleted nor purged.',
  fields: (t) => ({
    heldAt: t.field({
      type: 'DateTime',
      description: 'When the hold was placed.',
      resolve: ({ heldAt }) => heldAt,
    }),
    heldBy: t.field({
      type: Principal,
      nullable: true,
      description: 'The principal that placed the hold.',
      resolve: ({ heldById }, _args, context) => loadersOf(context).principals.load(heldById),
    }),
    reason: t.exposeString('reason', { description: 'The reason that was given for the hold.' }),
  }),
})

export const File = builder.objectRef<FileRow>('File').implement({
  description: 'A file of the tenant: a name and a current version.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({ description: 'The global id. Opaque.', resolve: ({ id }) => nodeId('File', id) }),
    name: t.exposeString('name', {
      description: 'The name of the file. May contain any Unicode script. Escape it before you display it.',
    }),
    contentType: t.exposeString('contentType', {
      description:
        'The media type of the current version, normalised: `application/zip` for `application/x-zip-compressed`. ' +
        'Detected from the first bytes if their signature is certain, otherwise as declared. May include `charset` ' +
        'and `codecs`.',
    }),
    byteSize: t.expose('byteSize', { type: 'ByteSize', description: 'The size of the current version in bytes.' }),
    sha256: t.exposeString('sha256', {
      nullable: true,
      description:
        'The SHA-256 of the current version, as 64 hexadecimal digits. Null until it is verified: see ' +
        '`FileVersion.sha256`.',
    }),
    state: t.field({
      type: FileStateEnum,
      description: 'Where the file is in its life.',
      resolve: ({ deletedAt, purgedAt }) => (purgedAt ? 'PURGED' : deletedAt ? 'TRASHED' : 'READY'),
    }),
    uploadedBy: t.field({
      type: Principal,
      description: 'The principal that uploaded the first version.',
      resolve: (file) => file.uploadedBy,
    }),
    uploadedAt: t.expose('uploadedAt', { type: 'DateTime', description: 'When the first version was committed.' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime', description: 'When the file last changed.' }),
    deletedAt: t.expose('deletedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the file was moved to the trash.',
    }),
    deletedBy: t.field({
      type: Principal,
      nullable: true,
      description: 'The principal that moved the file to the trash.',
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
        description: 'The attachments of the file, oldest first. A file with attachments cannot be deleted.',
        resolve: async ({ id }, args, context) =>
          connectionOf(await loadersOf(context).attachmentPages(args).load(id), {}),
      },
      AttachmentConnection,
    ),
    attachmentCount: t.exposeInt('attachmentCount', { description: 'The number of attachments of the file.' }),
    retention: t.field({
      type: RetentionEnum,
      description: 'How long the file is kept.',
      resolve: ({ retention }) => retention,
    }),
    hold: t.field({
      type: LegalHold,
      nullable: true,
      description: 'The legal hold on the file. Null if there is none.',
      resolve: holdOf,
    }),
    quarantinedAt: t.expose('quarantinedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'When the stored bytes of the current version were found missing or damaged. Null if they are intact.',
    }),
    purgeAfter: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When the file will be purged from the trash. Null if the file is not in the trash or is under legal hold.',
      resolve: ({ deletedAt, purgedAt, heldAt, policy }) =>
        deletedAt && !purgedAt && !heldAt ? new Date(deletedAt.getTime() + policy.trashDays * 86_400_000) : null,
    }),
    downloadUrl: t.string({
      nullable: true,
      description:
        'A signed URL that downloads the current version under the name of the file. Created for this response and ' +
        'not stored. Null if the file is in the trash or its bytes are in quarantine; `versions` may then have a ' +
        'readable version. To record downloads in the audit log, use `issueDownloadUrl`.',
      args: {
        disposition: t.arg({
          type: DispositionEnum,
          defaultValue: 'ATTACHMENT',
          description: 'How a browser handles the download. Default: ATTACHMENT.',
        }),
        expiresInSeconds: t.arg.int({
          description:
            'The lifetime of the URL in seconds. Default: 600. At most `TenantPolicy.downloadUrlMaxSeconds`.',
        }),
      },
      resolve: (file, args, context) => downloadUrl(file, file, args, context),
    }),
  }),
})

builder.objectField(Attachment, 'file', (t) =>
  t.field({
    type: File,
    description: 'The file. An attached file is never in the trash.',
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
    state: t.field({ type: FileStateEnum, description: 'The state of the files. Default: READY.' }),
    contentTypePrefix: t.string({
      description:
        'A media type or a prefix of one: `application/pdf`, `image/`, `image` or `image/*`. Synonyms of a type ' +
        'match the same files. `*/*` matches all files.',
    }),
    uploadedById: t.id({ description: 'The id of the principal who uploaded the first version.' }),
  }),
})

type ListedFiles = { readonly filter: FileFilter }

const FileEdge = builder.edgeObject({ type: File, name: 'FileEdge', description: 'A file in a page.' })

const BoundedCount = builder.objectRef<{ value: number; isExact: boolean }>('BoundedCount').implement({
  description: 'A count that stops at an upper bound to stay fast.',
  fields: (t) => ({
    value: t.exposeInt('value', { description: 'The number of rows, or a lower bound of it.' }),
    isExact: t.exposeBoolean('isExact', { description: 'False if there are more rows than `value`.' }),
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
        description: `The number of matching files, counted up to ${limits.countedRows}. Runs an extra query only when requested.`,
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
      includesTrashed: t.arg.boolean({
        defaultValue: false,
        description: 'Whether to find files in the trash too. Default: false.',
      }),
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
      description: 'The files of the tenant. A deep page costs the same as the first.',
      args: {
        filter: t.arg({ type: FileFilterInput, description: 'Which files to list. Default: all live files.' }),
        orderBy: t.arg({
          type: FileOrderEnum,
          defaultValue: 'NEWEST_FIRST',
          description: 'The order of the list. Default: NEWEST_FIRST.',
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
