import type { PrincipalKind, Role } from '../domain/context.ts'
import { builder } from './builder.ts'

/** Enum values whose internal value equals their name, each with a description. */
export const valuesOf = <T extends string>(descriptions: Record<T, string>) =>
  Object.fromEntries(
    Object.entries<string>(descriptions).map(([name, description]) => [name, { value: name, description }]),
  ) as Record<T, { value: T; description: string }>

export const RoleEnum = builder.enumType('Role', {
  description:
    'The permissions of a principal in a tenant. Each role includes the ones before it: VIEWER, MEMBER, ADMIN, OWNER.',
  values: valuesOf<Role>({
    VIEWER: 'Reads files and downloads them.',
    MEMBER: 'Uploads, renames, deletes and restores files.',
    ADMIN:
      'Reads the audit log, cleanup runs and all upload intents. Places legal holds and purges files from the trash.',
    OWNER: 'Manages members and API keys.',
  }),
})

export const PrincipalKindEnum = builder.enumType('PrincipalKind', {
  description: 'The kind of a principal.',
  values: valuesOf<PrincipalKind>({
    USER: 'A person with an account for the console.',
    API_KEY: 'A program with an API key.',
    EXTERNAL: 'A user of the host application, identified by a token.',
    SYSTEM: 'Filegraph itself: a job or the command line.',
  }),
})

export const FileStateEnum = builder.enumType('FileState', {
  description: 'The state of the file.',
  values: valuesOf<'READY' | 'TRASHED' | 'PURGED'>({
    READY: 'Live and readable.',
    TRASHED: 'In the trash. Not listed with live files. Can be restored until `purgeAfter`.',
    PURGED: 'Deleted permanently. Returned only by `purgeFile`; no list contains it.',
  }),
})

export const RetentionEnum = builder.enumType('Retention', {
  description: 'How long a file is kept.',
  values: valuesOf<'KEPT' | 'WHILE_ATTACHED'>({
    KEPT: 'Until it is deleted.',
    WHILE_ATTACHED: 'Until its last attachment is removed. The file then moves to the trash.',
  }),
})

export const FileOrderEnum = builder.enumType('FileOrder', {
  description: 'The order of a list of files: by upload time, or by deletion time in the trash.',
  values: valuesOf<'NEWEST_FIRST' | 'OLDEST_FIRST'>({
    NEWEST_FIRST: 'Newest first.',
    OLDEST_FIRST: 'Oldest first.',
  }),
})

export const UploadIntentStateEnum = builder.enumType('UploadIntentState', {
  description: 'The state of an upload intent. Only a pending intent can change.',
  values: valuesOf<'PENDING' | 'COMMITTED' | 'CANCELLED' | 'EXPIRED'>({
    PENDING: 'Waiting for the bytes and for `commitUpload`.',
    COMMITTED: 'Committed as a version of a file.',
    CANCELLED: 'Cancelled by the caller, or refused because the bytes did not match the declaration.',
    EXPIRED: 'Not committed before `expiresAt`.',
  }),
})

export const DispositionEnum = builder.enumType('Disposition', {
  description: 'How a browser handles a download.',
  values: valuesOf<'ATTACHMENT' | 'INLINE'>({
    ATTACHMENT: 'Save it under the name of the file.',
    INLINE:
      'Show images, audio, video and plain text in the browser. PDF is shown from an external bucket only. Other ' +
      'types are saved.',
  }),
})
