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
  NOT_FOUND: 'The object does not exist in this tenant.',
  VALIDATION: 'A value in the input is invalid.',
  QUOTA_EXCEEDED: 'The upload exceeds the quota of the tenant.',
  UPLOAD_INCOMPLETE: 'The bytes are not in the bucket yet.',
  CONTENT_MISMATCH: 'The uploaded bytes do not match the declaration.',
  FILE_IN_USE: 'The file has attachments.',
  CONFLICT: 'The current state does not allow this change.',
}

const ErrorCode = builder.enumType('ErrorCode', {
  description: 'A machine-readable error code.',
  values: valuesOf(codeDescriptions),
})

export const ErrorInterface = builder.interfaceRef<Refusal>('Error').implement({
  description: 'An error that the caller can handle.',
  fields: (t) => ({
    code: t.field({
      type: ErrorCode,
      description: 'The machine-readable error code.',
      resolve: ({ code }) => answerCodes.find((known) => known === code) ?? 'CONFLICT',
    }),
    message: t.exposeString('message', { description: 'A human-readable explanation.' }),
  }),
})

const refusals = [
  [
    NotFound,
    'NotFoundError',
    'The object does not exist in this tenant. The response is the same for unknown ids and for ids of other ' +
      'tenants.',
  ],
  [UploadIncomplete, 'UploadIncompleteError', 'The bytes are not in the bucket yet. Send them, then commit again.'],
  [
    ContentMismatch,
    'ContentMismatchError',
    'The uploaded bytes do not match the declaration. The intent is cancelled. Create a new one.',
  ],
] as const

for (const [type, name, description] of refusals) {
  builder.objectType(type, { name, description, interfaces: [ErrorInterface] })
}

builder.objectType(Invalid, {
  name: 'ValidationError',
  description: 'A value in the input is invalid.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    field: t.exposeString('field', { description: 'The name of the invalid field: the last element of `path`.' }),
    path: t.stringList({
      description: 'The path from the input to the invalid value, such as `["uploads", "3", "name"]`.',
      resolve: ({ path }) => [...path],
    }),
    bound: t.expose('bound', {
      type: 'ByteSize',
      nullable: true,
      description: 'The limit that the value violates, in the unit of the value. Null if the limit is not numeric.',
    }),
  }),
})

builder.objectType(QuotaExceeded, {
  name: 'QuotaExceededError',
  description: 'The upload exceeds the quota of the tenant.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    neededBytes: t.expose('neededBytes', { type: 'ByteSize', description: 'The size of the upload in bytes.' }),
    availableBytes: t.expose('availableBytes', {
      type: 'ByteSize',
      description: 'The free space of the quota in bytes: neither stored nor reserved. Never negative.',
    }),
  }),
})

const ConflictReasonEnum = builder.enumType('ConflictReason', {
  description: 'The machine-readable reason of a ConflictError.',
  values: valuesOf<ConflictReason>({
    ALREADY_COMMITTED: 'The upload has already become a version of a file.',
    ALREADY_MEMBER: 'The person is already a member of the tenant.',
    CHANGED_SINCE: 'Another request changed it in the meantime. Read it again.',
    FILE_HELD: 'The file is under legal hold.',
    IDEMPOTENCY_KEY_REUSED: 'The idempotency key was already used with different input.',
    INTENT_CANCELLED: 'The upload intent was cancelled.',
    INTENT_EXPIRED: 'The upload intent has expired. Create a new one.',
    LAST_OWNER: 'A tenant keeps at least one OWNER.',
    NAME_TAKEN: 'The name is already in use.',
    NOT_TRASHED: 'The file is not in the trash. Delete it first.',
    QUARANTINED: 'The stored bytes are missing or damaged, so they are not served.',
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
    reason: t.field({
      type: ConflictReasonEnum,
      description: 'The machine-readable reason.',
      resolve: ({ reason }) => reason,
    }),
  }),
})
