import { readRefusal } from '../../domain/installation/watchBucket.ts'
import { Invalid } from '../../domain/refusals.ts'
import type { Tenant as TenantRow } from '../../domain/tenants/findTenant.ts'
import { type OwnerPolicy, updateTenantPolicy } from '../../domain/tenants/updateTenant.ts'
import { builder, hasRole, relational } from '../builder.ts'
import { findNodesOf, NodeInterface, nodeId } from '../node.ts'
import { readByIds, readOwn } from '../relational.ts'
import { callerOf } from '../requestContext.ts'

const TenantPolicy = builder.drizzleObject('tenants', {
  variant: 'TenantPolicy',
  select: { columns: {} },
  description: 'The policy of a tenant.',
  fields: (t) => ({
    maxFileBytes: t.expose('maxFileBytes', { type: 'ByteSize', description: 'The maximum size of a file in bytes.' }),
    allowedContentTypes: t.exposeStringList('allowedContentTypes', {
      nullable: true,
      description:
        'The accepted media types, or prefixes such as `image/`. A type includes its synonyms. Null if all types are ' +
        'accepted.',
    }),
    trashDays: t.exposeInt('trashDays', {
      description: 'The number of days for which a deleted file can be restored.',
    }),
    intentLifetimeSeconds: t.exposeInt('intentLifetimeSeconds', {
      description: 'The number of seconds that an upload intent waits for its commit.',
    }),
    downloadUrlMaxSeconds: t.exposeInt('downloadMaxSeconds', {
      description: 'The maximum lifetime of a download URL in seconds.',
    }),
    quotaBytes: t.expose('quotaBytes', {
      type: 'ByteSize',
      nullable: true,
      description: 'The quota for all versions together, in bytes. Null if unlimited.',
    }),
  }),
})

export const Tenant = builder.drizzleObject('tenants', {
  name: 'Tenant',
  select: { columns: {} },
  description: 'A customer organisation. Data is never shared between tenants.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({
      description: 'The global id. Opaque.',
      select: { columns: { id: true } },
      resolve: ({ id }) => nodeId('Tenant', id),
    }),
    databaseId: t.exposeString('id', {
      description: 'The UUID that `filegraph.set_tenant` takes, and the tenant claim of a token.',
    }),
    slug: t.exposeString('slug', {
      description: 'The short name, used in URLs and in the header `x-filegraph-tenant`.',
    }),
    name: t.exposeString('name', { description: 'The display name.' }),
    policy: t.variant(TenantPolicy, { description: 'The policy of the tenant.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When the tenant was created.' }),
    deletesRefusedSince: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'When deletes from the bucket were suspended, because it is unclear which database the bucket belongs to. ' +
        'The operator resolves this with the command `accept-bucket`. Uploads and downloads continue. Null if ' +
        'deletes are allowed, and for callers below ADMIN.',
      resolve: async (_tenant, _args, context) => {
        const caller = callerOf(context)
        if (!hasRole(caller.principal.role, 'ADMIN')) return null
        return (await readRefusal(caller))?.since ?? null
      },
    }),
  }),
})

findNodesOf('Tenant', { role: 'VIEWER', find: (ids, asked) => readByIds(Tenant, ids, asked) })

const Usage = builder.drizzleObject('tenantUsage', {
  name: 'Usage',
  select: { columns: {} },
  description: 'The storage usage of a tenant. Exact: updated in the transaction of each change.',
  fields: (t) => ({
    fileCount: t.expose('fileCount', { type: 'ByteSize', description: 'The number of files outside the trash.' }),
    trashedCount: t.expose('trashedCount', { type: 'ByteSize', description: 'The number of files in the trash.' }),
    versionCount: t.expose('versionCount', { type: 'ByteSize', description: 'The number of versions of all files.' }),
    storedBytes: t.expose('storedBytes', {
      type: 'ByteSize',
      description: 'The bytes of all versions, including files in the trash.',
    }),
    reservedBytes: t.expose('reservedBytes', {
      type: 'ByteSize',
      description:
        'Bytes that count against the quota although no version uses them: reserved by pending upload intents, or ' +
        'released but not yet deleted from the bucket. Space is free again once the bytes are deleted, usually 15 ' +
        'minutes after an intent was cancelled or a file was purged.',
    }),
    quotaBytes: t.field({
      type: 'ByteSize',
      nullable: true,
      description: 'The quota for stored and reserved bytes together. Null if unlimited.',
      select: { with: { tenant: { columns: { quotaBytes: true } } } },
      resolve: ({ tenant }) => tenant.quotaBytes,
    }),
  }),
})

builder.queryFields((t) => ({
  tenant: t.field({
    type: Tenant,
    nullable: true,
    authScopes: { role: 'VIEWER' },
    description: 'The tenant of the caller.',
    extensions: relational,
    resolve: (_root, _args, context, info) => readOwn(Tenant, { context, info }),
  }),
  usage: t.field({
    type: Usage,
    nullable: true,
    authScopes: { role: 'VIEWER' },
    description: 'The storage usage of the tenant.',
    extensions: relational,
    resolve: (_root, _args, context, info) => readOwn(Usage, { context, info }),
  }),
}))

const UpdateTenantPolicyInput = builder.inputType('UpdateTenantPolicyInput', {
  description: 'The changes to the policy. A field that is omitted or null keeps its value.',
  fields: (t) => ({
    maxFileBytes: t.field({ type: 'ByteSize', description: 'The maximum size of a file in bytes.' }),
    allowedContentTypes: t.stringList({
      description:
        'The accepted media types, or prefixes such as `image/`. A type includes its synonyms. An empty list accepts ' +
        'all types.',
    }),
    trashDays: t.int({ description: 'The number of days for which a deleted file can be restored. At most 36500.' }),
    intentLifetimeSeconds: t.int({
      description: 'The number of seconds that an upload intent waits for its commit. 1 to 31536000.',
    }),
    downloadUrlMaxSeconds: t.int({
      description: 'The maximum lifetime of a download URL in seconds. 1 to 604800.',
    }),
  }),
})

const UpdateTenantPolicySuccess = builder.objectRef<TenantRow>('UpdateTenantPolicySuccess').implement({
  description: 'The policy was updated.',
  fields: (t) => ({
    tenant: t.field({ type: Tenant, description: 'The tenant with its new policy.', resolve: (tenant) => tenant }),
  }),
})

builder.mutationFields((t) => ({
  updateTenantPolicy: t.field({
    type: UpdateTenantPolicySuccess,
    errors: { types: [Invalid], union: { description: 'The result of `updateTenantPolicy`.' } },
    nullable: true,
    authScopes: { role: 'OWNER' },
    description:
      'Updates the policy of the tenant. Values set by the operator of the installation are upper limits. Only the ' +
      'operator can change the quota.',
    args: {
      input: t.arg({ type: UpdateTenantPolicyInput, required: true, description: 'The changes to the policy.' }),
    },
    resolve: (_root, { input }, context) => updateTenantPolicy(callerOf(context), ownerPolicyIn(input)),
  }),
}))

function ownerPolicyIn(input: typeof UpdateTenantPolicyInput.$inferInput): OwnerPolicy {
  const { allowedContentTypes: types, downloadUrlMaxSeconds, ...others } = input
  const given = { ...others, downloadMaxSeconds: downloadUrlMaxSeconds }
  return {
    ...Object.fromEntries(Object.entries(given).filter(([, value]) => value !== undefined && value !== null)),
    ...(types && { allowedContentTypes: types.length === 0 ? null : types }),
  }
}
