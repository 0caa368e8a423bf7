import { attachFile, detachFile, replaceAttachment } from '../../domain/files/attachments/changeAttachment.ts'
import { type Owner, usualSlot } from '../../domain/files/attachments/owner.ts'
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
        description: 'What kind of row uses it, such as `invoice`: 1 to 100 characters, no control characters.',
      }),
      ownerId: t.string({
        required: true,
        description: 'Which row, by the host application’s id: 1 to 200 characters, no control characters.',
      }),
      slot: t.string({
        defaultValue: usualSlot,
        description: 'What the file is to the row, such as `avatar`: 1 to 100 characters, no control characters.',
      }),
    }),
  })

const AttachFileInput = ownerInput('AttachFileInput', 'A file, and the row of a host application that uses it.')
const DetachFileInput = ownerInput('DetachFileInput', 'A file, and the row that no longer uses it.')
const ReplaceAttachmentInput = ownerInput('ReplaceAttachmentInput', 'A file, and the slot of a row that it shall fill.')

const AttachFileSuccess = successWithFile('AttachFileSuccess', 'The file is in use.')
const DetachFileSuccess = successWithFile(
  'DetachFileSuccess',
  'The row does not use the file any more, which may be in the trash for it.',
)
const ReplaceAttachmentSuccess = successWithFile('ReplaceAttachmentSuccess', 'The file is the only one in its slot.')

/** A slot that is null is the default one. */
const ownerOf = (input: Omit<Owner, 'slot'> & { readonly slot?: string | null | undefined }): Owner => ({
  ownerType: input.ownerType,
  ownerId: input.ownerId,
  slot: input.slot ?? usualSlot,
})

const answers = (what: string) => ({ description: `The answer of \`${what}\`.` })

builder.mutationFields((t) => ({
  attachFile: t.field({
    type: AttachFileSuccess,
    errors: { types: [NotFound, Invalid, Conflict], union: answers('attachFile') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description:
      'Says that a row of the host application uses a file, which cannot be deleted from then on. Doing so twice answers ' +
      'the same. A file in the trash is refused with ConflictError.',
    args: { input: t.arg({ type: AttachFileInput, required: true, description: 'Which file, and who uses it.' }) },
    resolve: (_root, { input }, context) => attachFile(callerOf(context), fileId(input.fileId), ownerOf(input)),
  }),
  detachFile: t.field({
    type: DetachFileSuccess,
    errors: { types: [NotFound, Invalid], union: answers('detachFile') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description:
      'Says that a row does not use a file any more; one that did not is answered the same. The last detachment of a ' +
      'WHILE_ATTACHED file puts it into the trash.',
    args: { input: t.arg({ type: DetachFileInput, required: true, description: 'Which file, and who used it.' }) },
    resolve: (_root, { input }, context) => detachFile(callerOf(context), fileId(input.fileId), ownerOf(input)),
  }),
  replaceAttachment: t.field({
    type: ReplaceAttachmentSuccess,
    errors: { types: [NotFound, Invalid, Conflict], union: answers('replaceAttachment') },
    nullable: true,
    authScopes: { role: 'MEMBER' },
    description:
      'Makes a file the only one in a slot of a row, in one step: whatever was there is detached. For "change my avatar".',
    args: { input: t.arg({ type: ReplaceAttachmentInput, required: true, description: 'Which file, and where.' }) },
    resolve: (_root, { input }, context) => replaceAttachment(callerOf(context), fileId(input.fileId), ownerOf(input)),
  }),
}))
