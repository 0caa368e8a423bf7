import type { KnownPrincipal } from '../domain/identity/findPrincipals.ts'
import { builder } from './builder.ts'
import { PrincipalKindEnum } from './enums.ts'
import { NodeInterface, nodeId } from './Node.ts'

export const Principal = builder.objectRef<KnownPrincipal>('Principal').implement({
  description: 'Somebody who acts in the tenant: a person, an API key, a user of the host application, or the system.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({ description: 'Opaque and global.', resolve: ({ id }) => nodeId('Principal', id) }),
    kind: t.field({ type: PrincipalKindEnum, description: 'Which kind of caller it is.', resolve: ({ kind }) => kind }),
    name: t.exposeString('name', { description: 'The name to show.' }),
    email: t.exposeString('email', { nullable: true, description: 'The e-mail address, where one is known.' }),
  }),
})
