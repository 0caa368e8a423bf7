import { changeRetention } from '../../domain/files/changeRetention.ts'
import { deleteFile } from '../../domain/files/deleteFile.ts'
import type { File as FileRow } from '../../domain/files/findFiles.ts'
import { holdFile, releaseFile } from '../../domain/files/holdFile.ts'
import { issueDownloadUrl } from '../../domain/files/issueDownloadUrl.ts'
import { renameFile } from '../../domain/files/renameFile.ts'
import { restoreFile } from '../../domain/files/restoreFile.ts'
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
    fields: (t) => ({ file: t.field({ type: File, description: 'The file as it is now.', resolve: (file) => file }) }),
  })

const RenameFileInput = builder.inputType('RenameFileInput', {
  description: 'A new name for a file.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The id of the file.' }),
    name: t.string({
      required: true,
      description: 'At most 255 characters. No slashes, control or direction-changing characters.',
    }),
  }),
})

const DeleteFileInput = builder.inputType('DeleteFileInput', {
  description: 'A file to put into the trash.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the file.' }) }),
})

const RestoreFileInput = builder.inputType('RestoreFileInput', {
  description: 'A file to take out of the trash.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the file.' }) }),
})

const IssueDownloadUrlInput = builder.inputType('IssueDownloadUrlInput', {
  description: 'A file to be downloaded on the record.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The id of the file.' }),
    version: t.int({ description: 'The number of a version. Default: the current version.' }),
    disposition: t.field({
      type: DispositionEnum,
      defaultValue: 'ATTACHMENT',
      description: 'What a browser does with it.',
    }),
    expiresInSeconds: t.int({
      description: 'How long the address works; 600 unless told, bounded by the tenant’s policy.',
    }),
  }),
})

const RenameFileSuccess = successWithFile('RenameFileSuccess', 'The file has its new name.')
const DeleteFileSuccess = successWithFile('DeleteFileSuccess', 'The file is in the trash.')
const RestoreFileSuccess = successWithFile('RestoreFileSuccess', 'The file is out of the trash.')

const IssueDownloadUrlSuccess = builder
  .objectRef<{ url: string; expiresAt: Date; file: FileRow }>('IssueDownloadUrlSuccess')
  .implement({
    description: 'The address was given out, and the audit log knows.',
    fields: (t) => ({
      url: t.exposeString('url', {
        description:
          'Reads the current version under the name of the file, or an old version under the name that it was uploaded with.',
      }),
      expiresAt: t.expose('expiresAt', { type: 'DateTime', description: 'Until when it works.' }),
      file: t.field({ type: File, description: 'The file.', resolve: ({ file }) => file }),
    }),
  })

const answers = (what: string) => ({ description: `The answer of \`${what}\`.` })

builder.mutationFields((t) => ({
  renameFile: t.field({
    type: RenameFileSuccess,
    errors: { types: [NotFound, Invalid], union: answers('renameFile') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description: 'Gives a file another name. Its versions keep theirs.',
    args: { input: t.arg({ type: RenameFileInput, required: true, description: 'Which file, and its name.' }) },
    resolve: (_root, { input }, context) => renameFile(callerOf(context), fileId(input.id), input.name),
  }),
  deleteFile: t.field({
    type: DeleteFileSuccess,
    errors: { types: [NotFound, FileInUse, Conflict], union: answers('deleteFile') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description:
      'Puts a file into the trash, from where it can be restored. Doing so twice answers the same. A file that is attached ' +
      'or under legal hold is refused.',
    args: { input: t.arg({ type: DeleteFileInput, required: true, description: 'Which file.' }) },
    resolve: (_root, { input }, context) => deleteFile(callerOf(context), fileId(input.id)),
  }),
  restoreFile: t.field({
    type: RestoreFileSuccess,
    errors: { types: [NotFound], union: answers('restoreFile') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description: 'Takes a file out of the trash. Doing so twice answers the same.',
    args: { input: t.arg({ type: RestoreFileInput, required: true, description: 'Which file.' }) },
    resolve: (_root, { input }, context) => restoreFile(callerOf(context), fileId(input.id)),
  }),
  issueDownloadUrl: t.field({
    type: IssueDownloadUrlSuccess,
    errors: { types: [NotFound, Conflict, Invalid], union: answers('issueDownloadUrl') },
    nullable: true,
    authScopes: { role: 'VIEWER' },
    description:
      'Gives out a download URL and records in the audit log who got it. A ConflictError with reason QUARANTINED if the stored ' +
      'bytes of the version are damaged or missing: another version may be readable.',
    args: { input: t.arg({ type: IssueDownloadUrlInput, required: true, description: 'Which file, and how.' }) },
    resolve: (_root, { input }, context) => {
      const { id, version = null, disposition, expiresInSeconds = null } = input
      const options = { disposition: disposition ?? 'ATTACHMENT', expiresInSeconds }
      return issueDownloadUrl(callerOf(context), fileId(id), options, version)
    },
  }),
}))

const HoldFileInput = builder.inputType('HoldFileInput', {
  description: 'A file that must stay, and why.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The id of the file; it may be in the trash.' }),
    reason: t.string({ required: true, description: 'Why, in 1 to 500 characters.' }),
  }),
})

const ReleaseFileInput = builder.inputType('ReleaseFileInput', {
  description: 'A file whose legal hold is over.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the file.' }) }),
})

const ChangeRetentionInput = builder.inputType('ChangeRetentionInput', {
  description: 'How long a file shall stay.',
  fields: (t) => ({
    id: t.id({ required: true, description: 'The id of the file.' }),
    retention: t.field({ type: RetentionEnum, required: true, description: 'How long.' }),
  }),
})

const HoldFileSuccess = successWithFile('HoldFileSuccess', 'The file is under legal hold.')
const ReleaseFileSuccess = successWithFile('ReleaseFileSuccess', 'The file is under no legal hold.')
const ChangeRetentionSuccess = successWithFile('ChangeRetentionSuccess', 'The file has this retention.')

builder.mutationFields((t) => ({
  holdFile: t.field({
    type: HoldFileSuccess,
    errors: { types: [NotFound, Invalid], union: answers('holdFile') },
    nullable: true,
    authScopes: { role: 'ADMIN' },
    description:
      'Puts a file under legal hold, live or in the trash: nobody deletes it and nothing purges it until it is released. ' +
      'Doing so twice answers the same, with the first reason.',
    args: { input: t.arg({ type: HoldFileInput, required: true, description: 'Which file, and why.' }) },
    resolve: (_root, { input }, context) => holdFile(callerOf(context), fileId(input.id), input.reason),
  }),
  releaseFile: t.field({
    type: ReleaseFileSuccess,
    errors: { types: [NotFound], union: answers('releaseFile') },
    nullable: true,
    authScopes: { role: 'ADMIN' },
    description: 'Ends a legal hold. Doing so twice answers the same.',
    args: { input: t.arg({ type: ReleaseFileInput, required: true, description: 'Which file.' }) },
    resolve: (_root, { input }, context) => releaseFile(callerOf(context), fileId(input.id)),
  }),
  changeRetention: t.field({
    type: ChangeRetentionSuccess,
    errors: { types: [NotFound], union: answers('changeRetention') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description: 'Says whether a file stays for its own sake or only while something is attached to it.',
    args: { input: t.arg({ type: ChangeRetentionInput, required: true, description: 'Which file, and how long.' }) },
    resolve: (_root, { input }, context) => changeRetention(callerOf(context), fileId(input.id), input.retention),
  }),
}))
