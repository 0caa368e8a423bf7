import type { File as FileRow } from '../../domain/files/findFiles.ts'
import type { FileVersion as VersionRow } from '../../domain/files/listVersions.ts'
import { builder } from '../builder.ts'
import { DispositionEnum } from '../enums.ts'
import { versionKey } from '../globalId.ts'
import { Principal } from '../identity/Principal.ts'
import { NodeInterface, nodeId } from '../node.ts'
import { downloadUrl } from './downloadUrl.ts'

/** A version with its file. The state of the file decides whether the version can be read. */
export interface VersionOfFile extends VersionRow {
  readonly file: FileRow
}

export const FileVersion = builder.objectRef<VersionOfFile>('FileVersion').implement({
  description: 'One version of the content of a file. Immutable.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({
      description: 'The global id. Opaque.',
      resolve: ({ fileId, number }) => nodeId('FileVersion', versionKey(fileId, number)),
    }),
    number: t.exposeInt('number', { description: 'The number of the version within the file, starting at 1.' }),
    name: t.exposeString('name', { description: 'The name under which the version was uploaded.' }),
    contentType: t.exposeString('contentType', { description: 'The media type. See `File.contentType`.' }),
    byteSize: t.expose('byteSize', { type: 'ByteSize', description: 'The size in bytes, as measured in the bucket.' }),
    sha256: t.exposeString('sha256', {
      nullable: true,
      description:
        'The SHA-256 of the bytes, as 64 hexadecimal digits. Null for content of more than 64 KiB that was uploaded ' +
        'without a checksum, until the verification job has computed it.',
    }),
    quarantinedAt: t.expose('quarantinedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the stored bytes of this version were found missing or damaged. Null if they are intact.',
    }),
    createdBy: t.field({ type: Principal, description: 'Who uploaded it.', resolve: ({ createdBy }) => createdBy }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the version was committed.' }),
    downloadUrl: t.string({
      nullable: true,
      description:
        'A signed URL that downloads this version under its own name. Created for this response and not stored. Null ' +
        'if the file is in the trash or the bytes are in quarantine. If the current version is in quarantine, offer ' +
        'the newest version that has a URL.',
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
      resolve: (version, args, context) => downloadUrl(version, version.file, args, context),
    }),
  }),
})

const FileVersionEdge = builder.edgeObject({
  type: FileVersion,
  name: 'FileVersionEdge',
  description: 'A version in a page.',
})

export const FileVersionConnection = builder.connectionObject(
  { type: FileVersion, name: 'FileVersionConnection', description: 'A page of versions.' },
  FileVersionEdge,
)
