import {
  answerCodes,
  Conflict,
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
  [QuotaExceeded, 'QuotaExceededError', 'The tenant has no space left for this file.'],
  [UploadIncomplete, 'UploadIncompleteError', 'The bytes have not arrived. Send them, then commit again.'],
  [
    ContentMismatch,
    'ContentMismatchError',
    'The bytes that arrived are not what was declared. The intent is over; make a new one.',
  ],
  [Conflict, 'ConflictError', 'The thing is in a state in which this cannot be done.'],
] as const

for (const [type, name, description] of refusals) {
  builder.objectType(type, { name, description, interfaces: [ErrorInterface] })
}

builder.objectType(Invalid, {
  name: 'ValidationError',
  description: 'A value in the input cannot be accepted.',
  interfaces: [ErrorInterface],
  fields: (t) => ({ field: t.exposeString('field', { description: 'The name of the value in the input.' }) }),
})
