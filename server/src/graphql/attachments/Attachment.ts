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
    id: t.id({ description: 'The global id. Opaque.', resolve: ({ id }) => nodeId('Attachment', id) }),
    ownerType: t.exposeString('ownerType', {
      description: 'The type of the row in the host application, such as `invoice`.',
    }),
    ownerId: t.exposeString('ownerId', { description: 'The id of the row in the host application.' }),
    slot: t.exposeString('slot', { description: 'The role of the file in the row, such as `avatar`.' }),
    attachedAt: t.expose('attachedAt', { type: 'DateTime', description: 'When the file was attached.' }),
    attachedBy: t.field({
      type: Principal,
      description: 'The principal that attached the file.',
      resolve: ({ attachedBy }) => attachedBy,
    }),
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
  description: 'The file has attachments, so it cannot be deleted.',
  interfaces: [ErrorInterface],
  fields: (t) => ({
    attachments: t.field({
      type: [Attachment],
      description: 'The attachments of the file. At most 100.',
      resolve: ({ attachments }) => [...attachments],
    }),
    attachmentCount: t.exposeInt('attachmentCount', { description: 'The number of attachments of the file.' }),
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
        ownerType: t.arg.string({ required: true, description: 'The type of the row, such as `invoice`.' }),
        ownerId: t.arg.string({ required: true, description: 'The id of the row in the host application.' }),
        slot: t.arg.string({ description: 'List only attachments in this slot. Default: all slots.' }),
      },
      resolve: async (_root, { ownerType, ownerId, slot, ...page }, context) => {
        const owner = { ownerType, ownerId, slot: slot ?? null }
        return connectionOf(await listAttachmentsOfOwner(callerOf(context), owner, page), {})
      },
    },
    AttachmentConnection,
  ),
)
