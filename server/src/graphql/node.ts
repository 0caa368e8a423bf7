import { isId } from '../domain/ids.ts'
import { limits } from '../domain/limits.ts'
import { BadInput } from '../domain/refusals.ts'
import { builder, hasRole } from './builder.ts'
import { globalId, type NodeType, parseGlobalId, parseVersionKey } from './globalId.ts'
import { callerOf, loadersOf, type RequestContext } from './requestContext.ts'

/** A row together with the name of its type, which is all that the interface needs to tell types apart. */
const typeOf = new WeakMap<object, NodeType>()

export const NodeInterface = builder.interfaceRef<object>('Node').implement({
  description: 'An object with a global id. Can be fetched with `node`.',
  resolveType: (row) => typeOf.get(row),
  fields: (t) => ({
    id: t.id({ description: 'The global id. Opaque.', resolve: () => '' }),
  }),
})

/** Reads a row of the caller's tenant, or null for whatever is not there, not theirs or not for their role. */
type Find = (context: RequestContext, id: string) => Promise<object | null>

const ofRole =
  (role: 'ADMIN' | 'OWNER', find: Find): Find =>
  async (context, id) =>
    hasRole(callerOf(context).principal.role, role) ? find(context, id) : null

const byId =
  (find: Find): Find =>
  async (context, id) =>
    isId(id) ? find(context, id) : null

const finders: Record<NodeType, Find> = {
  File: byId(findFile),
  FileVersion: async (context, key) => {
    const parsed = parseVersionKey(key)
    // A version is as visible as its file.
    const file = parsed && (await findFile(context, parsed.fileId))
    const version = file && (await loadersOf(context).versions.load(key))
    return version ? { ...version, file } : null
  },
  UploadIntent: byId((context, id) => loadersOf(context).uploads.load(id)),
  Attachment: byId((context, id) => loadersOf(context).attachments.load(id)),
  Principal: byId((context, id) => loadersOf(context).principals.load(id)),
  Tenant: byId(async (context, id) => {
    const tenant = await loadersOf(context).tenant()
    return tenant.id === id ? tenant : null
  }),
  AuditEntry: ofRole(
    'ADMIN',
    byId((context, id) => loadersOf(context).auditEntries.load(id)),
  ),
  CleanupRun: ofRole(
    'ADMIN',
    byId((context, id) => loadersOf(context).cleanupRuns.load(id)),
  ),
  ApiKey: ofRole(
    'OWNER',
    byId((context, id) => loadersOf(context).apiKeys.load(id)),
  ),
}

/** MEMBER and above also find files in the trash, since they restore them. */
function findFile(context: RequestContext, id: string): Promise<object | null> {
  const { files, filesAndTrash } = loadersOf(context)
  return (hasRole(callerOf(context).principal.role, 'MEMBER') ? filesAndTrash : files).load(id)
}

async function findNode(context: RequestContext, text: string): Promise<object | null> {
  const parsed = parseGlobalId(text)
  const type = parsed?.type as NodeType
  if (!parsed || !Object.hasOwn(finders, type)) return null
  const row = await finders[type](context, parsed.id)
  if (row) typeOf.set(row, type)
  return row
}

/** The id field of a type that implements `Node`. */
export const nodeId = (type: NodeType, id: string): string => globalId(type, id)

builder.queryFields((t) => ({
  node: t.field({
    type: NodeInterface,
    nullable: true,
    authScopes: { role: 'VIEWER' },
    description:
      'An object by its global id. Null if the id is unknown, malformed or of another tenant. Files in the trash ' +
      'are visible to MEMBER and above.',
    args: { id: t.arg.id({ required: true, description: 'The global id of an object.' }) },
    resolve: (_root, { id }, context) => findNode(context, id),
  }),
  nodes: t.field({
    type: [NodeInterface],
    nullable: { list: true, items: true },
    authScopes: { role: 'VIEWER' },
    description:
      'Objects by their global ids, in the order of the ids. Contains null for each id that `node` does not find.',
    args: { ids: t.arg.idList({ required: true, description: `The global ids. At most ${limits.nodesPerRequest}.` }) },
    resolve: (_root, { ids }, context) => {
      if (ids.length > limits.nodesPerRequest) throw new BadInput(`At most ${limits.nodesPerRequest} ids.`)
      return Promise.all(ids.map((id) => findNode(context, id)))
    },
  }),
}))
