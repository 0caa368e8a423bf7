import { listPrincipals } from '../../domain/identity/people/findPrincipals.ts'
import { builder, connectionOf } from '../builder.ts'
import { PrincipalKindEnum } from '../enums.ts'
import { findNodesOf, NodeInterface, nodeId } from '../node.ts'
import { readByIds } from '../relational.ts'
import { callerOf } from '../requestContext.ts'

/**
 * No field carries a selection, because lists of files show many principals. Any row with these columns can be used.
 */
export const Principal = builder.drizzleObject('principals', {
  name: 'Principal',
  description: 'An actor in the tenant: a person, an API key, a user of the host application, or the system.',
  interfaces: [NodeInterface],
  select: { columns: { id: true, kind: true, name: true, email: true } },
  fields: (t) => ({
    id: t.id({ description: 'The global id. Opaque.', resolve: ({ id }) => nodeId('Principal', id) }),
    kind: t.field({ type: PrincipalKindEnum, description: 'The kind of the principal.', resolve: ({ kind }) => kind }),
    name: t.string({ description: 'The display name.', resolve: ({ name }) => name }),
    email: t.string({
      nullable: true,
      description: 'The e-mail address, if known.',
      resolve: ({ email }) => email,
    }),
  }),
})

findNodesOf('Principal', { role: 'VIEWER', find: (ids, asked) => readByIds(Principal, ids, asked) })

const PrincipalEdge = builder.edgeObject({
  type: Principal,
  name: 'PrincipalEdge',
  description: 'A principal in a page.',
})

const PrincipalConnection = builder.connectionObject(
  { type: Principal, name: 'PrincipalConnection', description: 'A page of principals.' },
  PrincipalEdge,
)

builder.queryFields((t) => ({
  principals: t.connection(
    {
      type: Principal,
      nullable: true,
      authScopes: { role: 'VIEWER' },
      description:
        'The principals of the tenant, ordered by name: people, API keys, users of the host application and the ' +
        'system. Includes former members and revoked keys, because files and audit entries still refer to them.',
      args: {
        search: t.arg.string({
          description:
            'Words that the name or the e-mail address must contain, in any order. Ignores case and accents. Default: ' +
            'all principals. At most 200 characters.',
        }),
      },
      resolve: async (_root, { search, ...page }, context) =>
        connectionOf(await listPrincipals(callerOf(context), search ?? null, page), {}),
    },
    PrincipalConnection,
  ),
}))
