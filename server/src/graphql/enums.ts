import type { PrincipalKind, Role } from '../domain/context.ts'
import { builder } from './builder.ts'

/** Enum values that are called what they are, each with its description. */
export const valuesOf = <T extends string>(descriptions: Record<T, string>) =>
  Object.fromEntries(
    Object.entries<string>(descriptions).map(([name, description]) => [name, { value: name, description }]),
  ) as Record<T, { value: T; description: string }>

export const RoleEnum = builder.enumType('Role', {
  description: 'What somebody may do in a tenant. Each role includes the ones before it.',
  values: valuesOf<Role>({
    VIEWER: 'Reads files and downloads them.',
    MEMBER: 'Uploads, renames, deletes and restores files.',
    ADMIN: 'Sees the audit log, everybody’s upload intents and the cleanup runs, holds files and ends the trash early.',
    OWNER: 'Manages members and API keys.',
  }),
})

export const PrincipalKindEnum = builder.enumType('PrincipalKind', {
  description: 'Which kind of caller somebody is.',
  values: valuesOf<PrincipalKind>({
    USER: 'A person with an account, in the console.',
    API_KEY: 'A program with an API key.',
    EXTERNAL: 'A user of the host application, known by its token.',
    SYSTEM: 'Filegraph itself: a job or the command line.',
  }),
})

export const FileStateEnum = builder.enumType('FileState', {
  description: 'Where a file is in its life.',
  values: valuesOf<'READY' | 'TRASHED' | 'PURGED'>({
    READY: 'To be read.',
    TRASHED: 'In the trash: hidden from every other read, and restorable until its time there ends.',
    PURGED: 'Gone for good. Seen only in the answer to the purge, and in no list.',
  }),
})

export const RetentionEnum = builder.enumType('Retention', {
  description: 'How long a file stays.',
  values: valuesOf<'KEPT' | 'WHILE_ATTACHED'>({
    KEPT: 'Until somebody deletes it.',
    WHILE_ATTACHED: 'Until its last attachment is removed, which puts it into the trash.',
  }),
})

export const FileOrderEnum = builder.enumType('FileOrder', {
  description: 'The order of a list of files: by time of upload, or of deletion in the trash.',
  values: valuesOf<'NEWEST_FIRST' | 'OLDEST_FIRST'>({
    NEWEST_FIRST: 'The latest first.',
    OLDEST_FIRST: 'The earliest first.',
  }),
})

export const UploadIntentStateEnum = builder.enumType('UploadIntentState', {
  description: 'Where an upload intent is in its life. Only a pending one can change.',
  values: valuesOf<'PENDING' | 'COMMITTED' | 'CANCELLED' | 'EXPIRED'>({
    PENDING: 'Waits for its bytes and for the commit.',
    COMMITTED: 'Has become a version of a file.',
    CANCELLED: 'Was taken back, or its bytes were not what was declared.',
    EXPIRED: 'Was not committed in time.',
  }),
})

export const DispositionEnum = builder.enumType('Disposition', {
  description: 'What a browser does with a download.',
  values: valuesOf<'ATTACHMENT' | 'INLINE'>({
    ATTACHMENT: 'Saves it under the name of the file.',
    INLINE:
      'Shows images, audio, video and plain text in place. An external bucket also shows PDF; the local bucket does not. Other types are saved.',
  }),
})
