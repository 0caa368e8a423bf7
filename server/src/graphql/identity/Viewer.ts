import type { Principal as Caller } from '../../domain/context.ts'
import { listTenantsOf, type TenantOfUser } from '../../domain/identity/people/listTenantsOf.ts'
import { builder } from '../builder.ts'
import { RoleEnum } from '../enums.ts'
import { callerOf, loadersOf } from '../requestContext.ts'
import { Tenant } from '../tenants/Tenant.ts'
import { Principal } from './Principal.ts'

const TenantMembership = builder.objectRef<TenantOfUser>('TenantMembership').implement({
  description: 'A tenant that the viewer may choose.',
  fields: (t) => ({
    slug: t.exposeString('slug', { description: 'What to send as `x-filegraph-tenant`.' }),
    name: t.exposeString('name', { description: 'The name to show.' }),
    role: t.field({ type: RoleEnum, description: 'The role of the viewer in it.', resolve: ({ role }) => role }),
  }),
})

const Viewer = builder.objectRef<Caller>('Viewer').implement({
  description: 'Who asks, and what for.',
  fields: (t) => ({
    principal: t.field({ type: Principal, description: 'The caller.', resolve: (caller) => caller }),
    role: t.field({ type: RoleEnum, description: 'The role in this tenant.', resolve: ({ role }) => role }),
    tenant: t.field({
      type: Tenant,
      description: 'The tenant of this request.',
      resolve: (_caller, _args, context) => loadersOf(context).tenant(),
    }),
    tenants: t.field({
      type: [TenantMembership],
      description: 'Every tenant that the caller may choose, by name. Keys and tokens have one.',
      resolve: (_caller, _args, context) => listTenantsOf(callerOf(context)),
    }),
  }),
})

builder.queryFields((t) => ({
  viewer: t.field({
    type: Viewer,
    nullable: true,
    authScopes: { role: 'VIEWER' },
    description: 'Who asks.',
    resolve: (_root, _args, context) => callerOf(context).principal,
  }),
}))
