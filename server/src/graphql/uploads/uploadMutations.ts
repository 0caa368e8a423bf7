import { Conflict, ContentMismatch, Invalid, NotFound, QuotaExceeded, UploadIncomplete } from '../../domain/refusals.ts'
import { type Committed, commitUpload } from '../../domain/uploads/commitUpload.ts'
import { createUploadIntent } from '../../domain/uploads/intents/createUploadIntent.ts'
import { type Upload, uploadRow } from '../../domain/uploads/intents/findUploads.ts'
import { cancelUpload } from '../../domain/uploads/intents/releaseUpload.ts'
import { builder } from '../builder.ts'
import { RetentionEnum } from '../enums.ts'
import { File } from '../files/File.ts'
import { FileVersion } from '../files/FileVersion.ts'
import { idOf, noId } from '../globalId.ts'
import { callerOf } from '../requestContext.ts'
import { UploadIntent } from './UploadIntent.ts'

const CreateUploadIntentInput = builder.inputType('CreateUploadIntentInput', {
  description: 'The declaration of an upload.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description:
        'The name of the file. At most 255 characters. No slashes, control characters or characters that change the ' +
        'text direction.',
    }),
    contentType: t.string({
      required: true,
      description:
        'The media type, such as `application/pdf`. Send `file.type` of the browser, even if it is empty. Synonyms ' +
        'are accepted. `charset` and `codecs` are kept, other parameters are dropped. At most 255 characters.',
    }),
    byteSize: t.field({ type: 'ByteSize', required: true, description: 'The exact size in bytes.' }),
    sha256: t.string({
      description: 'The SHA-256 of the bytes, as 64 hexadecimal digits. If present, it is verified.',
    }),
    fileId: t.id({ description: 'The file to add a version to. Default: a new file.' }),
    retention: t.field({
      type: RetentionEnum,
      description: 'How long the new file is kept. Default: KEPT. Ignored for a new version of an existing file.',
    }),
    idempotencyKey: t.string({
      description:
        'A key of your choice that makes the call idempotent: a repeated call with the same key returns the same ' +
        'intent. At most 200 ASCII characters.',
    }),
  }),
})

const CommitUploadInput = builder.inputType('CommitUploadInput', {
  description: 'The upload to commit.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the upload intent.' }) }),
})

const CancelUploadInput = builder.inputType('CancelUploadInput', {
  description: 'The upload to cancel.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the upload intent.' }) }),
})

const successWithIntent = (name: string, description: string) =>
  builder.objectRef<Upload>(name).implement({
    description,
    fields: (t) => ({
      uploadIntent: t.field({
        type: UploadIntent,
        description: 'The intent after the change.',
        resolve: uploadRow,
      }),
    }),
  })

const CreateUploadIntentSuccess = successWithIntent(
  'CreateUploadIntentSuccess',
  'The space is reserved. Send the bytes.',
)
const CancelUploadSuccess = successWithIntent('CancelUploadSuccess', 'The intent has ended without creating a file.')

const CommitUploadSuccess = builder.objectRef<Committed>('CommitUploadSuccess').implement({
  description: 'The bytes match the declaration and are stored as a version of the file.',
  fields: (t) => ({
    file: t.field({ type: File, description: 'The file after the change.', resolve: ({ file }) => file }),
    version: t.field({
      type: FileVersion,
      description: 'The version that this upload created.',
      resolve: ({ file, version }) => ({ ...version, file }),
    }),
  }),
})

const uploadId = (id: string) => idOf('UploadIntent', id) ?? noId
const answers = (what: string) => ({ description: `The result of \`${what}\`.` })

builder.mutationFields((t) => ({
  createUploadIntent: t.field({
    type: CreateUploadIntentSuccess,
    errors: { types: [NotFound, Invalid, QuotaExceeded, Conflict], union: answers('createUploadIntent') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description: 'Starts an upload: reserves space and returns the HTTP request that sends the bytes to the bucket.',
    args: {
      input: t.arg({ type: CreateUploadIntentInput, required: true, description: 'The declaration of an upload.' }),
    },
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
      'Verifies the uploaded bytes and creates a file from them, or a new version of an existing file, which then ' +
      'takes the declared name. If the first bytes prove another media type than the declared one, the file gets ' +
      'the proved type. Returns ContentMismatchError if both types are certain and differ in kind, or if the ' +
      'tenant does not accept the proved type. Idempotent: a repeated call returns the same version.',
    args: { input: t.arg({ type: CommitUploadInput, required: true, description: 'The upload intent.' }) },
    resolve: (_root, { input }, context) => commitUpload(callerOf(context), uploadId(input.id)),
  }),
  cancelUpload: t.field({
    type: CancelUploadSuccess,
    errors: { types: [NotFound, Conflict], union: answers('cancelUpload') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description:
      'Cancels an upload intent and releases its space. An intent that has already expired or been cancelled is ' +
      'returned unchanged.',
    args: { input: t.arg({ type: CancelUploadInput, required: true, description: 'The upload intent.' }) },
    resolve: (_root, { input }, context) => cancelUpload(callerOf(context), uploadId(input.id)),
  }),
}))
