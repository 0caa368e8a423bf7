import { Conflict, ContentMismatch, Invalid, NotFound, QuotaExceeded, UploadIncomplete } from '../../domain/refusals.ts'
import { type Committed, commitUpload } from '../../domain/uploads/commitUpload.ts'
import { createUploadIntent } from '../../domain/uploads/intents/createUploadIntent.ts'
import type { Upload } from '../../domain/uploads/intents/findUploads.ts'
import { cancelUpload } from '../../domain/uploads/intents/releaseUpload.ts'
import { builder } from '../builder.ts'
import { RetentionEnum } from '../enums.ts'
import { File } from '../files/File.ts'
import { FileVersion } from '../files/FileVersion.ts'
import { idOf, noId } from '../globalId.ts'
import { callerOf } from '../requestContext.ts'
import { UploadIntent } from './UploadIntent.ts'

const CreateUploadIntentInput = builder.inputType('CreateUploadIntentInput', {
  description: 'What is going to be sent.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description:
        'The name of the file. At most 255 characters. No slashes, control or direction-changing characters.',
    }),
    contentType: t.string({
      required: true,
      description:
        'The media type, such as `application/pdf`: what the browser says (`file.type`), also if that is empty. Synonyms are ' +
        'accepted. `charset` and `codecs` are kept, other parameters are dropped. At most 255 characters.',
    }),
    byteSize: t.field({ type: 'ByteSize', required: true, description: 'The exact size in bytes.' }),
    sha256: t.string({
      description: 'SHA-256 of the bytes in 64 hexadecimal digits. When it is given, the commit proves it.',
    }),
    fileId: t.id({ description: 'The file that gets a new version; without it a new file is made.' }),
    retention: t.field({
      type: RetentionEnum,
      description: 'How long the new file stays; KEPT unless told. A new version leaves that of its file as it is.',
    }),
    idempotencyKey: t.string({
      description:
        'Any short text of one’s own: asking again with the same key gives the same intent instead of another.',
    }),
  }),
})

const CommitUploadInput = builder.inputType('CommitUploadInput', {
  description: 'A finished upload.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the upload intent.' }) }),
})

const CancelUploadInput = builder.inputType('CancelUploadInput', {
  description: 'An upload to take back.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the upload intent.' }) }),
})

const successWithIntent = (name: string, description: string) =>
  builder.objectRef<Upload>(name).implement({
    description,
    fields: (t) => ({
      uploadIntent: t.field({
        type: UploadIntent,
        description: 'The intent as it is now.',
        resolve: (upload) => upload,
      }),
    }),
  })

const CreateUploadIntentSuccess = successWithIntent(
  'CreateUploadIntentSuccess',
  'There is room for the bytes: send them.',
)
const CancelUploadSuccess = successWithIntent('CancelUploadSuccess', 'The intent has ended without a file.')

const CommitUploadSuccess = builder.objectRef<Committed>('CommitUploadSuccess').implement({
  description: 'The bytes are what was declared, and the file has them.',
  fields: (t) => ({
    file: t.field({ type: File, description: 'The file as it is now.', resolve: ({ file }) => file }),
    version: t.field({
      type: FileVersion,
      description: 'The version that this upload made.',
      resolve: ({ file, version }) => ({ ...version, file }),
    }),
  }),
})

const uploadId = (id: string) => idOf('UploadIntent', id) ?? noId
const answers = (what: string) => ({ description: `The answer of \`${what}\`.` })

builder.mutationFields((t) => ({
  createUploadIntent: t.field({
    type: CreateUploadIntentSuccess,
    errors: { types: [NotFound, Invalid, QuotaExceeded, Conflict], union: answers('createUploadIntent') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description:
      'Announces an upload: reserves its space and answers with the request that sends the bytes to the bucket.',
    args: { input: t.arg({ type: CreateUploadIntentInput, required: true, description: 'What is going to be sent.' }) },
    resolve: (_root, { input }, context) =>
      createUploadIntent(callerOf(context), {
        name: input.name,
        contentType: input.contentType,
        byteSize: input.byteSize,
        sha256: input.sha256 ?? null,
        fileId: input.fileId === null || input.fileId === undefined ? null : (idOf('File', input.fileId) ?? noId),
        idempotencyKey: input.idempotencyKey ?? null,
        retention: input.retention ?? null,
      }),
  }),
  commitUpload: t.field({
    type: CommitUploadSuccess,
    errors: { types: [NotFound, UploadIncomplete, ContentMismatch, Conflict], union: answers('commitUpload') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description:
      'Looks at what arrived in the bucket and, if it is what was declared, makes it a file or a new version of one, which ' +
      'then takes on the declared name. The first bytes may prove another media type than the declared one: then the file has ' +
      'that type. `ContentMismatchError` if both are certain and differ in kind, or if the tenant does not accept the proved ' +
      'type. Committing again answers with the same version.',
    args: { input: t.arg({ type: CommitUploadInput, required: true, description: 'Which upload.' }) },
    resolve: (_root, { input }, context) => commitUpload(callerOf(context), uploadId(input.id)),
  }),
  cancelUpload: t.field({
    type: CancelUploadSuccess,
    errors: { types: [NotFound, Conflict], union: answers('cancelUpload') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description: 'Takes an upload intent back and gives its space free. What has ended already is answered as it is.',
    args: { input: t.arg({ type: CancelUploadInput, required: true, description: 'Which upload.' }) },
    resolve: (_root, { input }, context) => cancelUpload(callerOf(context), uploadId(input.id)),
  }),
}))
