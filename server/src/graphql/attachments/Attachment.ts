import {
  type Attachment as AttachmentRow,
  listAttachmentsOfOwner,
} from '../../domain/files/attachments/listAttachments.ts'
import { FileInUse } from '../../domain/refusals.ts'
import { builder, connectionOf } from '../builder.ts'
import { Principal } from '../identity/Principal.ts'
import { NodeInterface, nodeId } from '../node.ts'
import { ErrorInterface } from '../refusalTypes.ts'
import { callerOf } from '../requestContext.ts'

/** Its `file` stands in `File.ts`, which has fields of this type. */
export const Attachment = builder.objectRef<AttachmentRow>('Attachment').implement({
  description: 'A row of a host application that uses a file.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({ description: 'Opaque and global.', resolve: ({ id }) => nodeId('Attachment', id) }),
    ownerType: t.exposeString('ownerType', {
      description: 'What kind of row, such as `invoice`, in the host application’s words.',
    }),
    ownerId: t.exposeString('ownerId', { description: 'Which row, in the host application’s words.' }),
    slot: t.exposeString('slot', { description: 'What the file is to the row, such as `avatar`.' }),
    attachedAt: t.expose('attachedAt', { type: 'DateTime', description: 'Since when.' }),
    attachedBy: t.field({ type: Principal, description: 'Who attached it.', resolve: ({ attachedBy }) => attachedBy }),
  }),
})

const AttachmentEdge = builder.edgeObject({
  type: Attachment,
  name: 'AttachmentEdge',
  description: 'An attachment in a page.',
})

export const AttachmentConnection = builder.connectionObject(
  { type: Attachment, name: 'AttachmentConnection', description: 'A page of attachments.' },
  AttachmentEdge,
)

builder.objectType(FileInUse, {
  name: 'FileInUseError',
  description: 'Rows of a host application use the file, so it cannot be deleted.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    attachments: t.field({
      type: [Attachment],
      description: 'Who uses it; the first hundred where there are more.',
      resolve: ({ attachments }) => [...attachments],
    }),
    attachmentCount: t.exposeInt('attachmentCount', { description: 'How many there are.' }),
  }),
})

builder.queryField('attachmentsOf', (t) =>
  t.connection(
    {
      type: Attachment,
      nullable: true,
      authScopes: { role: 'VIEWER' },
      description: 'The attachments of one row of a host application, oldest first.',
      args: {
        ownerType: t.arg.string({ required: true, description: 'What kind of row.' }),
        ownerId: t.arg.string({ required: true, description: 'Which row.' }),
        slot: t.arg.string({ description: 'Those in this slot alone.' }),
      },
      resolve: async (_root, { ownerType, ownerId, slot, ...page }, context) => {
        const owner = { ownerType, ownerId, slot: slot ?? null }
        return connectionOf(await listAttachmentsOfOwner(callerOf(context), owner, page), {})
      },
    },
    AttachmentConnection,
  ),
)
