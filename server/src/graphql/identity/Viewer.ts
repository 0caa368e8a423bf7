import type { Principal as Caller } from '../../domain/context.ts'
import { listTenantsOf, type TenantOfUser } from '../../domain/identity/people/listTenantsOf.ts'
import { builder, relational } from '../builder.ts'
import { RoleEnum } from '../enums.ts'
import { readOwn } from '../relational.ts'
import { callerOf } from '../requestContext.ts'
import { Tenant } from '../tenants/Tenant.ts'
import { Principal } from './Principal.ts'

const TenantMembership = builder.objectRef<TenantOfUser>('TenantMembership').implement({
  description: 'A tenant that the caller is a member of.',
  fields: (t) => ({
    slug: t.exposeString('slug', { description: 'The value to send as `x-filegraph-tenant`.' }),
    name: t.exposeString('name', { description: 'The display name.' }),
    role: t.field({
      type: RoleEnum,
      description: 'The role of the caller in this tenant.',
      resolve: ({ role }) => role,
    }),
  }),
})

const Viewer = builder.objectRef<Caller>('Viewer').implement({
  description: 'The caller, with the tenant and the role of this request.',
  fields: (t) => ({
    principal: t.field({ type: Principal, description: 'The caller.', resolve: (caller) => caller }),
    role: t.field({
      type: RoleEnum,
      description: 'The role of the caller in this tenant.',
      resolve: ({ role }) => role,
    }),
    tenant: t.field({
      type: Tenant,
      description: 'The tenant of this request.',
      extensions: relational,
      resolve: (_caller, _args, context, info) => readOwn(Tenant, { context, info }),
    }),
    tenants: t.field({
      type: [TenantMembership],
      description: 'All tenants of the caller, ordered by name. API keys and tokens have exactly one.',
      resolve: (_caller, _args, context) => listTenantsOf(callerOf(context)),
    }),
  }),
})

builder.queryFields((t) => ({
  viewer: t.field({
    type: Viewer,
    nullable: true,
    authScopes: { role: 'VIEWER' },
    description: 'The caller.',
    resolve: (_root, _args, context) => callerOf(context).principal,
  }),
}))
