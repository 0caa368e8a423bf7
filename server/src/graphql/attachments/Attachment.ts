import { attachmentsOf } from '../../domain/files/attachments/attachments.ts'
import type { RelationalOrder } from '../../domain/paging/relationalPage.ts'
import { FileInUse } from '../../domain/refusals.ts'
import { builder, relational } from '../builder.ts'
import { Principal } from '../identity/Principal.ts'
import { findNodesOf, NodeInterface, nodeId } from '../node.ts'
import { ErrorInterface } from '../refusalTypes.ts'
import { readByIds, readPage } from '../relational.ts'

/**
 * No field carries a selection: lists of files show attachments, and data loaders and refusals supply plain rows. The
 * field `file` is added in `File.ts`, which uses this type.
 */
export const Attachment = builder.drizzleObject('attachments', {
  name: 'Attachment',
  description: 'A row of a host application that uses a file.',
  interfaces: [NodeInterface],
  select: {
    columns: { id: true, fileId: true, ownerType: true, ownerId: true, slot: true, createdAt: true },
    with: { creator: { columns: { id: true, kind: true, name: true, email: true } } },
  },
  fields: (t) => ({
    id: t.id({ description: 'The global id. Opaque.', resolve: ({ id }) => nodeId('Attachment', id) }),
    ownerType: t.string({
      description: 'The type of the row in the host application, such as `invoice`.',
      resolve: ({ ownerType }) => ownerType,
    }),
    ownerId: t.string({
      description: 'The id of the row in the host application.',
      resolve: ({ ownerId }) => ownerId,
    }),
    slot: t.string({ description: 'The role of the file in the row, such as `avatar`.', resolve: ({ slot }) => slot }),
    attachedAt: t.field({
      type: 'DateTime',
      description: 'When the file was attached.',
      resolve: ({ createdAt }) => createdAt,
    }),
    attachedBy: t.field({
      type: Principal,
      description: 'The principal that attached the file.',
      resolve: ({ creator }) => creator,
    }),
  }),
})

findNodesOf('Attachment', { role: 'VIEWER', find: (ids, asked) => readByIds(Attachment, ids, asked) })

const oldestFirst: RelationalOrder = { list: 'attachments', kinds: ['uuid'], columns: ['id'], descending: false }

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
      extensions: relational,
      resolve: (_root, { ownerType, ownerId, slot, ...page }, context, info) => {
        const where = attachmentsOf({ ownerType, ownerId, slot: slot ?? null })
        return readPage(Attachment, oldestFirst, page, { where, context, info })
      },
    },
    AttachmentConnection,
  ),
)
