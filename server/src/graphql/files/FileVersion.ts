import type { File as FileRow } from '../../domain/files/findFiles.ts'
import type { FileVersion as VersionRow } from '../../domain/files/listVersions.ts'
import { builder } from '../builder.ts'
import { DispositionEnum } from '../enums.ts'
import { versionKey } from '../globalId.ts'
import { Principal } from '../identity/Principal.ts'
import { NodeInterface, nodeId } from '../node.ts'
import { downloadUrl } from './downloadUrl.ts'

/** A version with its file, whose state decides whether the version can be read. */
export interface VersionOfFile extends VersionRow {
  readonly file: FileRow
}

export const FileVersion = builder.objectRef<VersionOfFile>('FileVersion').implement({
  description: 'What a file was at one time. It never changes.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({
      description: 'Opaque and global.',
      resolve: ({ fileId, number }) => nodeId('FileVersion', versionKey(fileId, number)),
    }),
    number: t.exposeInt('number', { description: 'Counts from 1 within the file.' }),
    name: t.exposeString('name', { description: 'The name it was uploaded under.' }),
    contentType: t.exposeString('contentType', { description: 'The media type, as in `File.contentType`.' }),
    byteSize: t.expose('byteSize', { type: 'ByteSize', description: 'The size in bytes, as found in the bucket.' }),
    sha256: t.exposeString('sha256', {
      nullable: true,
      description:
        'SHA-256 of the bytes in 64 hexadecimal digits. Null until it is proved: verification computes it later for content of ' +
        'more than 64 KiB that was uploaded without a checksum.',
    }),
    quarantinedAt: t.expose('quarantinedAt', {
      type: 'DateTime',
      nullable: true,
      description:
        'Since when the bucket is known not to hold the bytes of this version as they were committed. Null if all is well.',
    }),
    createdBy: t.field({ type: Principal, description: 'Who uploaded it.', resolve: ({ createdBy }) => createdBy }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was committed.' }),
    downloadUrl: t.string({
      nullable: true,
      description:
        'A URL that reads this version under the name that it was uploaded with. Signed for this response and not stored. ' +
        'Null while the file is in the trash or the bytes are in quarantine. When the current version is in quarantine, offer ' +
        'the newest version that has a URL.',
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
