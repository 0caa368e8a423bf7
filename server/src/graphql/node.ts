import type { GraphQLResolveInfo } from 'graphql'
import type { Role } from '../domain/context.ts'
import type { File as FileRow } from '../domain/files/findFiles.ts'
import { isId } from '../domain/ids.ts'
import { limits } from '../domain/limits.ts'
import { BadInput } from '../domain/refusals.ts'
import { builder, hasRole, relational } from './builder.ts'
import { globalId, type NodeType, parseGlobalId, parseVersionKey } from './globalId.ts'
import { callerOf, loadersOf, type RequestContext } from './requestContext.ts'

/** The type of each row. The `Node` interface uses it to resolve the concrete type. */
const typeOf = new WeakMap<object, NodeType>()

export const NodeInterface = builder.interfaceRef<object>('Node').implement({
  description: 'An object with a global id. Can be fetched with `node`.',
  resolveType: (row) => typeOf.get(row),
  fields: (t) => ({
    id: t.id({ description: 'The global id. Opaque.', resolve: () => '' }),
  }),
})

/** The arguments of a resolver in this file. */
export interface AskedNodes {
  readonly context: RequestContext
  readonly info: GraphQLResolveInfo
}

/**
 * Reads rows of the caller's tenant by the keys in their global ids, in that order. An entry is null if the row does
 * not exist or the caller may not see it.
 */
type FindNodes = (ids: readonly string[], asked: AskedNodes) => Promise<readonly (object | null)[]>

interface NodeFinder {
  /** The lowest role that may read this type. */
  readonly role: Role
  readonly find: FindNodes
}

const finders = new Map<string, NodeFinder>()

/** Registers how `node` reads a type whose ids are UUIDs. */
export function findNodesOf(type: NodeType, { role, find }: NodeFinder): void {
  findNodesByKey(type, {
    role,
    find: async (ids, asked) => {
      const known = ids.filter(isId)
      const rows = known.length > 0 ? await find(known, asked) : []
      const byId = new Map(known.map((id, at) => [id, rows[at]]))
      return ids.map((id) => byId.get(id) ?? null)
    },
  })
}

/** Registers how `node` reads a type whose ids have another form. */
export function findNodesByKey(type: NodeType, finder: NodeFinder): void {
  finders.set(type, finder)
}

findNodesOf('File', { role: 'VIEWER', find: (ids, { context }) => Promise.all(ids.map((id) => findFile(context, id))) })
findNodesByKey('FileVersion', {
  role: 'VIEWER',
  find: (keys, { context }) => Promise.all(keys.map((key) => findVersion(context, key))),
})
findNodesOf('AuditEntry', { role: 'ADMIN', find: (ids, { context }) => loadMany(loadersOf(context).auditEntries, ids) })
interface Loader {
  load(key: string): Promise<object | null>
}

const loadMany = (loader: Loader, keys: readonly string[]) => Promise.all(keys.map((key) => loader.load(key)))

/** MEMBER and above also find files in the trash, because they can restore them. */
function findFile(context: RequestContext, id: string): Promise<FileRow | null> {
  const { files, filesAndTrash } = loadersOf(context)
  return (hasRole(callerOf(context).principal.role, 'MEMBER') ? filesAndTrash : files).load(id)
}

/** A caller who can see the file can see its versions. */
async function findVersion(context: RequestContext, key: string): Promise<object | null> {
  const parsed = parseVersionKey(key)
  const file = parsed && (await findFile(context, parsed.fileId))
  const version = file && (await loadersOf(context).versions.load(key))
  return version ? { ...version, file } : null
}

/** Reads all rows of one type together. */
async function findNodes(texts: readonly string[], asked: AskedNodes): Promise<(object | null)[]> {
  const keysOf = new Map<string, Set<string>>()
  const wanted = texts.map(parseGlobalId)
  for (const global of wanted) {
    if (global) keysOf.set(global.type, (keysOf.get(global.type) ?? new Set()).add(global.id))
  }
  const found = await Promise.all([...keysOf].map(([type, keys]) => findOfType(type as NodeType, [...keys], asked)))
  const rows = new Map(found.flat())
  return texts.map((text) => rows.get(text) ?? null)
}

/** Reads rows of one type by the keys in their global ids. */
async function findOfType(type: NodeType, keys: readonly string[], asked: AskedNodes): Promise<[string, object][]> {
  const finder = finders.get(type)
  if (!finder || !hasRole(callerOf(asked.context).principal.role, finder.role)) return []
  const rows = await finder.find(keys, asked)
  return keys.flatMap((key, at) => {
    const row = rows[at]
    if (!row) return []
    typeOf.set(row, type)
    return [[globalId(type, key), row]]
  })
}

/** The global id of an object whose type implements `Node`. */
export const nodeId = (type: NodeType, id: string): string => globalId(type, id)

builder.queryFields((t) => ({
  node: t.field({
    type: NodeInterface,
    nullable: true,
    authScopes: { role: 'VIEWER' },
    description:
      'An object by its global id. Null if the id is unknown, malformed or of another tenant. Files in the trash ' +
      'are visible to MEMBER and above.',
    extensions: relational,
    args: { id: t.arg.id({ required: true, description: 'The global id of an object.' }) },
    resolve: async (_root, { id }, context, info) => (await findNodes([id], { context, info }))[0] ?? null,
  }),
  nodes: t.field({
    type: [NodeInterface],
    nullable: { list: true, items: true },
    authScopes: { role: 'VIEWER' },
    description:
      'Objects by their global ids, in the order of the ids. Contains null for each id that `node` does not find.',
    args: { ids: t.arg.idList({ required: true, description: `The global ids. At most ${limits.nodesPerRequest}.` }) },
    extensions: relational,
    resolve: (_root, { ids }, context, info) => {
      if (ids.length > limits.nodesPerRequest) throw new BadInput(`At most ${limits.nodesPerRequest} ids.`)
      return findNodes(ids, { context, info })
    },
  }),
}))
