import { readingOnce } from '../../domain/context.ts'
import { readRefusal } from '../../domain/installation/watchBucket.ts'
import { Invalid } from '../../domain/refusals.ts'
import type { Tenant as TenantRow } from '../../domain/tenants/policy.ts'
import { type OwnerPolicy, updateTenantPolicy } from '../../domain/tenants/updateTenant.ts'
import { readUsage, type Usage as UsageRow } from '../../domain/tenants/usage.ts'
import { builder, hasRole } from '../builder.ts'
import { NodeInterface, nodeId } from '../node.ts'
import { callerOf, loadersOf } from '../requestContext.ts'

const TenantPolicy = builder.objectRef<TenantRow>('TenantPolicy').implement({
  description: 'What a tenant allows.',
  fields: (t) => ({
    maxFileBytes: t.expose('maxFileBytes', { type: 'ByteSize', description: 'The largest file, in bytes.' }),
    allowedContentTypes: t.exposeStringList('allowedContentTypes', {
      nullable: true,
      description: 'Accepted media types, or kinds such as `image/`. A type means all its synonyms. Null accepts all.',
    }),
    trashDays: t.exposeInt('trashDays', { description: 'For how many days a deleted file can be restored.' }),
    intentLifetimeSeconds: t.exposeInt('intentLifetimeSeconds', {
      description: 'For how many seconds an upload intent waits for its commit.',
    }),
    downloadUrlMaxSeconds: t.exposeInt('downloadMaxSeconds', {
      description: 'The longest lifetime of a download address, in seconds.',
    }),
    quotaBytes: t.expose('quotaBytes', {
      type: 'ByteSize',
      nullable: true,
      description: 'Room for all versions together, in bytes; null is unbounded.',
    }),
  }),
})

export const Tenant = builder.objectRef<TenantRow>('Tenant').implement({
  description: 'A customer organisation: the boundary that nothing crosses.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({ description: 'Opaque and global.', resolve: ({ id }) => nodeId('Tenant', id) }),
    databaseId: t.exposeString('id', {
      description: 'The UUID that `filegraph.set_tenant` takes, and the tenant claim of a token.',
    }),
    slug: t.exposeString('slug', {
      description: 'The short name in addresses and in the header `x-filegraph-tenant`.',
    }),
    name: t.exposeString('name', { description: 'The name to show.' }),
    policy: t.field({ type: TenantPolicy, description: 'What it allows.', resolve: (tenant) => tenant }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was set up.' }),
    deletesRefusedSince: t.field({
      type: 'DateTime',
      nullable: true,
      description:
        'Since when nothing is deleted from the bucket, because it is in doubt which database the bucket belongs to. The operator ' +
        'of the installation decides with the command `accept-bucket`; uploads and downloads go on. Null while deletes are ' +
        'allowed, and for callers below ADMIN.',
      resolve: async (_tenant, _args, context) => {
        const caller = callerOf(context)
        if (!hasRole(caller.principal.role, 'ADMIN')) return null
        return (await readRefusal(caller))?.since ?? null
      },
    }),
  }),
})

const Usage = builder.objectRef<UsageRow & { quotaBytes: number | null }>('Usage').implement({
  description: 'What a tenant has stored. Counted in the transaction of each change, so it is never an estimate.',
  fields: (t) => ({
    fileCount: t.expose('fileCount', { type: 'ByteSize', description: 'Files outside the trash.' }),
    trashedCount: t.expose('trashedCount', { type: 'ByteSize', description: 'Files in the trash.' }),
    versionCount: t.expose('versionCount', { type: 'ByteSize', description: 'Versions of all files.' }),
    storedBytes: t.expose('storedBytes', {
      type: 'ByteSize',
      description: 'Bytes of all versions, the trash included.',
    }),
    reservedBytes: t.expose('reservedBytes', {
      type: 'ByteSize',
      description:
        'Bytes that count against the quota although no version uses them: announced by pending upload intents, and released ' +
        'bytes that still lie in the bucket. Cancelling an intent and purging a file free space once the purge has deleted ' +
        'the bytes, usually after 15 minutes.',
    }),
    quotaBytes: t.expose('quotaBytes', {
      type: 'ByteSize',
      nullable: true,
      description: 'Room for stored and reserved bytes together; null is unbounded.',
    }),
  }),
})

builder.queryFields((t) => ({
  tenant: t.field({
    type: Tenant,
    nullable: true,
    authScopes: { role: 'VIEWER' },
    description: 'The tenant of the caller.',
    resolve: (_root, _args, context) => loadersOf(context).tenant(),
  }),
  usage: t.field({
    type: Usage,
    nullable: true,
    authScopes: { role: 'VIEWER' },
    description: 'What the tenant has stored.',
    resolve: async (_root, _args, context) => {
      const { quotaBytes } = await loadersOf(context).tenant()
      return { ...(await readingOnce(callerOf(context), readUsage)), quotaBytes }
    },
  }),
}))

const UpdateTenantPolicyInput = builder.inputType('UpdateTenantPolicyInput', {
  description: 'What changes in the policy of the tenant. A field that is left out, or null, keeps its value.',
  fields: (t) => ({
    maxFileBytes: t.field({ type: 'ByteSize', description: 'The largest file, in bytes.' }),
    allowedContentTypes: t.stringList({
      description:
        'Accepted media types, or kinds such as `image/`. A type means all its synonyms. An empty list accepts every type.',
    }),
    trashDays: t.int({ description: 'The number of days for which a deleted file can be restored. At most 36500.' }),
    intentLifetimeSeconds: t.int({
      description: 'The number of seconds that an upload intent waits for its commit. 1 to 31536000.',
    }),
    downloadUrlMaxSeconds: t.int({
      description: 'The longest lifetime of a download URL, in seconds. 1 to 604800.',
    }),
  }),
})

const UpdateTenantPolicySuccess = builder.objectRef<TenantRow>('UpdateTenantPolicySuccess').implement({
  description: 'The policy is in force.',
  fields: (t) => ({
    tenant: t.field({ type: Tenant, description: 'The tenant with its new policy.', resolve: (tenant) => tenant }),
  }),
})

builder.mutationFields((t) => ({
  updateTenantPolicy: t.field({
    type: UpdateTenantPolicySuccess,
    errors: { types: [Invalid], union: { description: 'The answer of `updateTenantPolicy`.' } },
    nullable: true,
    authScopes: { role: 'OWNER' },
    description:
      'Changes the policy of the tenant. Values that the operator of the installation set are the most that can be chosen; ' +
      'the quota is the operator’s alone.',
    args: { input: t.arg({ type: UpdateTenantPolicyInput, required: true, description: 'What changes.' }) },
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
