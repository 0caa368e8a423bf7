import { isId } from '../../domain/ids.ts'
import { auditActions } from '../../domain/actions.ts'
import { type AuditEntry as AuditRow, listAuditLog } from '../../domain/journal/listAuditLog.ts'
import { BadInput } from '../../domain/refusals.ts'
import { builder, connectionOf } from '../builder.ts'
import { globalId, noId, type NodeType, parseGlobalId } from '../globalId.ts'
import { Principal } from '../identity/Principal.ts'
import { NodeInterface, nodeId } from '../node.ts'
import { callerOf } from '../requestContext.ts'

const actions = auditActions.map((action) => `\`${action}\``).join(', ')

/** The subject types of the audit log that have a `Node` type. */
const nodeTypes: Record<string, NodeType> = {
  file: 'File',
  upload_intent: 'UploadIntent',
  api_key: 'ApiKey',
  member: 'Principal',
  tenant: 'Tenant',
  cleanup_run: 'CleanupRun',
}

const AuditSubject = builder.objectRef<AuditRow>('AuditSubject').implement({
  description: 'The object of an audit entry, as it was named at the time.',
  fields: (t) => ({
    type: t.exposeString('subjectType', { description: 'The type of the object, such as `file`.' }),
    id: t.id({
      description: 'The id of the object, which may no longer exist.',
      resolve: ({ subjectType, subjectId }) => globalId(nodeTypes[subjectType] ?? subjectType, subjectId),
    }),
    name: t.exposeString('subjectName', { nullable: true, description: 'The name of the object at the time.' }),
  }),
})

const AuditEntry = builder.objectRef<AuditRow>('AuditEntry').implement({
  description:
    'A record of one change: who did what, to which object, from where. Immutable. Written in the transaction of ' +
    'the change.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({ description: 'The global id. Opaque.', resolve: ({ id }) => nodeId('AuditEntry', id) }),
    at: t.expose('at', { type: 'DateTime', description: 'When it happened.' }),
    action: t.exposeString('action', {
      description: `What happened. One of: ${actions}. Entries written before version 0.2.0 say \`file.deleted\` for \`file.soft_deleted\`.`,
    }),
    actor: t.field({
      type: Principal,
      description: 'The principal that made the change.',
      resolve: ({ actor }) => actor,
    }),
    subject: t.field({ type: AuditSubject, description: 'The object that was changed.', resolve: (entry) => entry }),
    payload: t.expose('payload', { type: 'JSONObject', description: 'Details. Their shape depends on the action.' }),
    requestId: t.exposeString('requestId', {
      nullable: true,
      description: 'The id of the request, as in `x-request-id` and the logs.',
    }),
    address: t.exposeString('address', { nullable: true, description: 'The network address of the caller.' }),
    userAgent: t.exposeString('userAgent', {
      nullable: true,
      description: 'The `User-Agent` header of the request.',
    }),
  }),
})

const AuditLogFilter = builder.inputType('AuditLogFilter', {
  description: 'A filter for audit entries. All conditions must match.',
  fields: (t) => ({
    action: t.string({
      description: 'The exact action. `file.soft_deleted` and its former name `file.deleted` match each other.',
    }),
    actorId: t.id({ description: 'The id of the principal that made the change.' }),
    subjectId: t.id({ description: 'The id of the object that was changed.' }),
    since: t.field({ type: 'DateTime', description: 'Only entries at or after this time.' }),
    until: t.field({ type: 'DateTime', description: 'Only entries before this time.' }),
  }),
})

const AuditLogEdge = builder.edgeObject({ type: AuditEntry, name: 'AuditLogEdge', description: 'An entry in a page.' })

const AuditLogConnection = builder.connectionObject(
  { type: AuditEntry, name: 'AuditLogConnection', description: 'A page of the audit log.' },
  AuditLogEdge,
)

builder.queryFields((t) => ({
  auditLog: t.connection(
    {
      type: AuditEntry,
      nullable: true,
      authScopes: { role: 'ADMIN' },
      description: 'The audit log of the tenant, newest first.',
      args: { filter: t.arg({ type: AuditLogFilter, description: 'Which entries to list. Default: all.' }) },
      resolve: async (_root, { filter, ...page }, context) => {
        if (filter?.action?.includes('\0')) throw new BadInput('This is not the name of an action.')
        const entries = await listAuditLog(
          callerOf(context),
          {
            action: filter?.action ?? null,
            actorId: anyId(filter?.actorId),
            subjectId: anyId(filter?.subjectId),
            since: filter?.since ?? null,
            until: filter?.until ?? null,
          },
          page,
        )
        return connectionOf(entries, {})
      },
    },
    AuditLogConnection,
  ),
}))

/** The id in a global id of any type. `noId` if the text is malformed, null if it is missing. */
function anyId(text: string | null | undefined): string | null {
  if (text === null || text === undefined) return null
  const id = parseGlobalId(text)?.id
  return id !== undefined && isId(id) ? id : noId
}
