import {
  answerCodes,
  Conflict,
  type ConflictReason,
  ContentMismatch,
  Invalid,
  NotFound,
  QuotaExceeded,
  Refusal,
  UploadIncomplete,
} from '../domain/refusals.ts'
import { builder } from './builder.ts'
import { valuesOf } from './enums.ts'

const codeDescriptions: Record<(typeof answerCodes)[number], string> = {
  NOT_FOUND: 'There is no such thing in this tenant.',
  VALIDATION: 'A value cannot be accepted.',
  QUOTA_EXCEEDED: 'The tenant has no space left.',
  UPLOAD_INCOMPLETE: 'The bytes have not arrived.',
  CONTENT_MISMATCH: 'The bytes are not what was declared.',
  FILE_IN_USE: 'Rows of a host application use the file.',
  CONFLICT: 'The thing is in a state in which this cannot be done.',
}

const ErrorCode = builder.enumType('ErrorCode', {
  description: 'The kind of a refusal, for programs.',
  values: valuesOf(codeDescriptions),
})

export const ErrorInterface = builder.interfaceRef<Refusal>('Error').implement({
  description: 'A refusal that the caller can act on.',
  fields: (t) => ({
    code: t.field({
      type: ErrorCode,
      description: 'The kind of refusal, for programs.',
      resolve: ({ code }) => answerCodes.find((known) => known === code) ?? 'CONFLICT',
    }),
    message: t.exposeString('message', { description: 'The reason, in a sentence for people.' }),
  }),
})

const refusals = [
  [NotFound, 'NotFoundError', 'There is no such thing in this tenant. Foreign and unknown ids are answered alike.'],
  [UploadIncomplete, 'UploadIncompleteError', 'The bytes have not arrived. Send them, then commit again.'],
  [
    ContentMismatch,
    'ContentMismatchError',
    'The bytes that arrived are not what was declared. The intent is over; make a new one.',
  ],
] as const

for (const [type, name, description] of refusals) {
  builder.objectType(type, { name, description, interfaces: [ErrorInterface] })
}

builder.objectType(Invalid, {
  name: 'ValidationError',
  description: 'A value in the input cannot be accepted.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    field: t.exposeString('field', { description: 'The name of the value in the input: the last part of `path`.' }),
    path: t.stringList({
      description: 'The way to the value from the input down, such as `["uploads", "3", "name"]`.',
      resolve: ({ path }) => [...path],
    }),
    bound: t.expose('bound', {
      type: 'ByteSize',
      nullable: true,
      description: 'The limit that the value passed, in the unit of the value. Null if there is no numeric limit.',
    }),
  }),
})

builder.objectType(QuotaExceeded, {
  name: 'QuotaExceededError',
  description: 'The quota of the tenant does not have room for this upload.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    neededBytes: t.expose('neededBytes', { type: 'ByteSize', description: 'The size of the upload in bytes.' }),
    availableBytes: t.expose('availableBytes', {
      type: 'ByteSize',
      description: 'The bytes of the quota that are neither stored nor reserved. Never negative.',
    }),
  }),
})

const ConflictReasonEnum = builder.enumType('ConflictReason', {
  description: 'Why the current state does not allow a change, for programs.',
  values: valuesOf<ConflictReason>({
    ALREADY_COMMITTED: 'The upload has already become a version of a file.',
    ALREADY_MEMBER: 'The person is already a member of the tenant.',
    CHANGED_SINCE: 'Another request changed it in the meantime. Read it again.',
    FILE_HELD: 'The file is under legal hold.',
    IDEMPOTENCY_KEY_REUSED: 'The idempotency key was used for a different request.',
    INTENT_CANCELLED: 'The upload intent was cancelled.',
    INTENT_EXPIRED: 'The upload intent has expired. Create a new one.',
    LAST_OWNER: 'A tenant keeps at least one OWNER.',
    NAME_TAKEN: 'The name is already in use.',
    NOT_TRASHED: 'The file is not in the trash. Delete it first.',
    QUARANTINED: 'The stored bytes are not the ones that were committed, so they are not served.',
    TRASHED: 'The file is in the trash. Restore it first.',
    VERSION_PENDING: 'A new version of the file is being uploaded.',
    WOULD_BE_INSIDE_ITSELF: 'A folder cannot be moved into itself or into a folder below it.',
  }),
})

builder.objectType(Conflict, {
  name: 'ConflictError',
  description: 'The current state does not allow this change.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    reason: t.field({ type: ConflictReasonEnum, description: 'Why, for programs.', resolve: ({ reason }) => reason }),
  }),
})
