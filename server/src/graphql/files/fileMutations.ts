import {
  changeRetention,
  deleteFile,
  holdFile,
  releaseFile,
  renameFile,
  restoreFile,
} from '../../domain/files/changeFile.ts'
import type { File as FileRow } from '../../domain/files/findFiles.ts'
import { issueDownloadUrl } from '../../domain/files/issueDownloadUrl.ts'
import { Conflict, FileInUse, Invalid, NotFound } from '../../domain/refusals.ts'
import { builder } from '../builder.ts'
import { DispositionEnum, RetentionEnum } from '../enums.ts'
import { idOf, noId } from '../globalId.ts'
import { callerOf } from '../requestContext.ts'
import { File } from './File.ts'

export const fileId = (id: string) => idOf('File', id) ?? noId

export const successWithFile = (name: string, description: string) =>
  builder.objectRef<FileRow>(name).implement({
    description,
    fields: (t) => ({
      file: t.field({ type: File, description: 'The file after the change.', resolve: (file) => file }),
    }),
  })

const RenameFileInput = builder.inputType('RenameFileInput', {
  description: 'The file and its new name.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The id of the file.' }),
    name: t.string({
      required: true,
      description:
        'The new name. At most 255 characters. No slashes, control characters or characters that change the text ' +
        'direction.',
    }),
  }),
})

const DeleteFileInput = builder.inputType('DeleteFileInput', {
  description: 'The file to move to the trash.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the file.' }) }),
})

const RestoreFileInput = builder.inputType('RestoreFileInput', {
  description: 'The file to restore from the trash.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the file.' }) }),
})

const IssueDownloadUrlInput = builder.inputType('IssueDownloadUrlInput', {
  description: 'The file to download, and how.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The id of the file.' }),
    version: t.int({ description: 'The number of a version. Default: the current version.' }),
    disposition: t.field({
      type: DispositionEnum,
      defaultValue: 'ATTACHMENT',
      description: 'How a browser handles the download. Default: ATTACHMENT.',
    }),
    expiresInSeconds: t.int({
      description: 'The lifetime of the URL in seconds. Default: 600. At most `TenantPolicy.downloadUrlMaxSeconds`.',
    }),
  }),
})

const RenameFileSuccess = successWithFile('RenameFileSuccess', 'The file has its new name.')
const DeleteFileSuccess = successWithFile('DeleteFileSuccess', 'The file is in the trash.')
const RestoreFileSuccess = successWithFile('RestoreFileSuccess', 'The file is out of the trash.')

const IssueDownloadUrlSuccess = builder
  .objectRef<{ url: string; expiresAt: Date; file: FileRow }>('IssueDownloadUrlSuccess')
  .implement({
    description: 'The URL was created and recorded in the audit log.',
    fields: (t) => ({
      url: t.exposeString('url', {
        description:
          'Downloads the current version under the name of the file, or an older version under its own name.',
      }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'When the URL expires.' }),
      file: t.field({ type: File, description: 'The file.', resolve: ({ file }) => file }),
    }),
  })

const answers = (what: string) => ({ description: `The result of \`${what}\`.` })

builder.mutationFields((t) => ({
  renameFile: t.field({
    type: RenameFileSuccess,
    errors: { types: [NotFound, Invalid], union: answers('renameFile') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description: 'Renames a file. Its versions keep their names.',
    args: { input: t.arg({ type: RenameFileInput, required: true, description: 'The file and its new name.' }) },
    resolve: (_root, { input }, context) => renameFile(callerOf(context), fileId(input.id), input.name),
  }),
  deleteFile: t.field({
    type: DeleteFileSuccess,
    errors: { types: [NotFound, FileInUse, Conflict], union: answers('deleteFile') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description:
      'Moves a file to the trash, from which it can be restored. Idempotent. Returns FileInUseError if the file is ' +
      'attached, and ConflictError if it is under legal hold.',
    args: { input: t.arg({ type: DeleteFileInput, required: true, description: 'The file to move to the trash.' }) },
    resolve: (_root, { input }, context) => deleteFile(callerOf(context), fileId(input.id)),
  }),
  restoreFile: t.field({
    type: RestoreFileSuccess,
    errors: { types: [NotFound], union: answers('restoreFile') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description: 'Restores a file from the trash. Idempotent.',
    args: { input: t.arg({ type: RestoreFileInput, required: true, description: 'The file to restore.' }) },
    resolve: (_root, { input }, context) => restoreFile(callerOf(context), fileId(input.id)),
  }),
  issueDownloadUrl: t.field({
    type: IssueDownloadUrlSuccess,
    errors: { types: [NotFound, Conflict, Invalid], union: answers('issueDownloadUrl') },
    nullable: true,
    authScopes: { role: 'VIEWER' },
    description:
      'Creates a download URL and records in the audit log who received it. Returns ConflictError with reason ' +
      'QUARANTINED if the stored bytes of the version are damaged or missing; another version may be readable.',
    args: {
      input: t.arg({ type: IssueDownloadUrlInput, required: true, description: 'The file to download, and how.' }),
    },
    resolve: (_root, { input }, context) => {
      const { id, version = null, disposition, expiresInSeconds = null } = input
      const options = { disposition: disposition ?? 'ATTACHMENT', expiresInSeconds }
      return issueDownloadUrl(callerOf(context), fileId(id), options, version)
    },
  }),
}))

const HoldFileInput = builder.inputType('HoldFileInput', {
  description: 'The file to put under legal hold, and the reason.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The id of the file, live or in the trash.' }),
    reason: t.string({ required: true, description: 'The reason for the hold. 1 to 500 characters.' }),
  }),
})

const ReleaseFileInput = builder.inputType('ReleaseFileInput', {
  description: 'The file to release from its legal hold.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the file.' }) }),
})

const ChangeRetentionInput = builder.inputType('ChangeRetentionInput', {
  description: 'The file and its new retention.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The id of the file.' }),
    retention: t.field({ type: RetentionEnum, required: true, description: 'How long the file is kept.' }),
  }),
})

const HoldFileSuccess = successWithFile('HoldFileSuccess', 'The file is under legal hold.')
const ReleaseFileSuccess = successWithFile('ReleaseFileSuccess', 'The file is not under legal hold.')
const ChangeRetentionSuccess = successWithFile('ChangeRetentionSuccess', 'The retention of the file is set.')

builder.mutationFields((t) => ({
  holdFile: t.field({
    type: HoldFileSuccess,
    errors: { types: [NotFound, Invalid], union: answers('holdFile') },
    nullable: true,
    authScopes: { role: 'ADMIN' },
    description:
      'Puts a file under legal hold, live or in the trash. It can be neither deleted nor purged until it is ' +
      'released. Idempotent: a repeated call keeps the first reason.',
    args: { input: t.arg({ type: HoldFileInput, required: true, description: 'The file and the reason.' }) },
    resolve: (_root, { input }, context) => holdFile(callerOf(context), fileId(input.id), input.reason),
  }),
  releaseFile: t.field({
    type: ReleaseFileSuccess,
    errors: { types: [NotFound], union: answers('releaseFile') },
    nullable: true,
    authScopes: { role: 'ADMIN' },
    description: 'Ends a legal hold. Idempotent.',
    args: { input: t.arg({ type: ReleaseFileInput, required: true, description: 'The file to release.' }) },
    resolve: (_root, { input }, context) => releaseFile(callerOf(context), fileId(input.id)),
  }),
  changeRetention: t.field({
    type: ChangeRetentionSuccess,
    errors: { types: [NotFound], union: answers('changeRetention') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description: 'Sets whether a file is kept until it is deleted or only while it is attached.',
    args: {
      input: t.arg({ type: ChangeRetentionInput, required: true, description: 'The file and its new retention.' }),
    },
    resolve: (_root, { input }, context) => changeRetention(callerOf(context), fileId(input.id), input.retention),
  }),
}))
