import { changeRetention } from '../domain/files/changeRetention.ts'
import { holdFile, releaseFile } from '../domain/files/holdFile.ts'
import { Invalid, NotFound } from '../domain/refusals.ts'
import { builder } from './builder.ts'
import { RetentionEnum } from './enums.ts'
import { fileId, successWithFile } from './fileMutations.ts'
import { callerOf } from './requestContext.ts'

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

const answers = (what: string) => ({ description: `The answer of \`${what}\`.` })

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
