import type { FileVersion as VersionRow } from '../domain/files/listVersions.ts'
import { builder } from './builder.ts'
import { versionKey } from './globalId.ts'
import { NodeInterface, nodeId } from './Node.ts'
import { Principal } from './Principal.ts'

export const FileVersion = builder.objectRef<VersionRow>('FileVersion').implement({
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
      description: 'SHA-256 of the bytes in 64 hexadecimal digits; null where none was declared and proved.',
    }),
    createdBy: t.field({ type: Principal, description: 'Who uploaded it.', resolve: ({ createdBy }) => createdBy }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was committed.' }),
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
