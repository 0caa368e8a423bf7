import {
  type Owner,
  attachFile,
  detachFile,
  replaceAttachment,
  usualSlot,
} from '../../domain/files/attachments/attachments.ts'
import { Conflict, Invalid, NotFound } from '../../domain/refusals.ts'
import { builder } from '../builder.ts'
import { fileId, successWithFile } from '../files/fileMutations.ts'
import { callerOf } from '../requestContext.ts'

const ownerInput = (name: string, description: string) =>
  builder.inputType(name, {
    description,
    fields: (t) => ({
      fileId: t.id({ required: true, description: 'The id of the file.' }),
      ownerType: t.string({
        required: true,
        description:
          'The type of the row in the host application, such as `invoice`. 1 to 100 characters. No control characters.',
      }),
      ownerId: t.string({
        required: true,
        description: 'The id of the row in the host application. 1 to 200 characters. No control characters.',
      }),
      slot: t.string({
        defaultValue: usualSlot,
        description:
          'The role of the file in the row, such as `avatar`. Default: `default`. 1 to 100 characters. No control ' +
          'characters.',
      }),
    }),
  })

const AttachFileInput = ownerInput('AttachFileInput', 'A file and the row of a host application that uses it.')
const DetachFileInput = ownerInput('DetachFileInput', 'A file and the row that no longer uses it.')
const ReplaceAttachmentInput = ownerInput('ReplaceAttachmentInput', 'A file and the slot of a row to put it into.')

const AttachFileSuccess = successWithFile('AttachFileSuccess', 'The file is attached.')
const DetachFileSuccess = successWithFile(
  'DetachFileSuccess',
  'The file is detached. A WHILE_ATTACHED file without attachments is now in the trash.',
)
const ReplaceAttachmentSuccess = successWithFile('ReplaceAttachmentSuccess', 'The file is the only one in the slot.')

/** Null means the default slot. */
const ownerOf = (input: Omit<Owner, 'slot'> & { readonly slot?: string | null | undefined }): Owner => ({
  ownerType: input.ownerType,
  ownerId: input.ownerId,
  slot: input.slot ?? usualSlot,
})

const answers = (what: string) => ({ description: `The result of \`${what}\`.` })

builder.mutationFields((t) => ({
  attachFile: t.field({
    type: AttachFileSuccess,
    errors: { types: [NotFound, Invalid, Conflict], union: answers('attachFile') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description:
      'Attaches a file to a row of the host application. An attached file cannot be deleted. Idempotent. Returns ' +
      'ConflictError if the file is in the trash.',
    args: {
      input: t.arg({ type: AttachFileInput, required: true, description: 'The file and the row that uses it.' }),
    },
    resolve: (_root, { input }, context) => attachFile(callerOf(context), fileId(input.fileId), ownerOf(input)),
  }),
  detachFile: t.field({
    type: DetachFileSuccess,
    errors: { types: [NotFound, Invalid], union: answers('detachFile') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description:
      'Detaches a file from a row of the host application. Idempotent. A WHILE_ATTACHED file moves to the trash ' +
      'when its last attachment is removed.',
    args: {
      input: t.arg({ type: DetachFileInput, required: true, description: 'The file and the row that used it.' }),
    },
    resolve: (_root, { input }, context) => detachFile(callerOf(context), fileId(input.fileId), ownerOf(input)),
  }),
  replaceAttachment: t.field({
    type: ReplaceAttachmentSuccess,
    errors: { types: [NotFound, Invalid, Conflict], union: answers('replaceAttachment') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description:
      'Attaches a file to a slot and detaches every other file in that slot, atomically. Use it for "change my ' +
      'avatar".',
    args: { input: t.arg({ type: ReplaceAttachmentInput, required: true, description: 'The file and the slot.' }) },
    resolve: (_root, { input }, context) => replaceAttachment(callerOf(context), fileId(input.fileId), ownerOf(input)),
  }),
}))
