import { type ApiKey as ApiKeyRow, createApiKey, revokeApiKey } from '../../domain/identity/keys/apiKeys.ts'
import type { RelationalOrder } from '../../domain/paging/relationalPage.ts'
import { Invalid, NotFound } from '../../domain/refusals.ts'
import { builder, relational } from '../builder.ts'
import { RoleEnum } from '../enums.ts'
import { idOf, noId } from '../globalId.ts'
import { findNodesOf, NodeInterface, nodeId } from '../node.ts'
import { readByIds, readPage } from '../relational.ts'
import { callerOf } from '../requestContext.ts'
import { Principal } from './Principal.ts'

const ApiKey = builder.drizzleObject('apiKeys', {
  name: 'ApiKey',
  description: 'An API key, with which a program acts in the tenant. The secret is shown once and never stored.',
  interfaces: [NodeInterface],
  // Read only the requested columns: the row also holds the hash of the secret.
  select: { columns: {} },
  fields: (t) => ({
    id: t.id({
      description: 'The global id. Opaque.',
      select: { columns: { id: true } },
      resolve: ({ id }) => nodeId('ApiKey', id),
    }),
    name: t.exposeString('name', { description: 'The name of the key: what it is used for.' }),
    role: t.expose('role', { type: RoleEnum, description: 'The role of the key.' }),
    createdBy: t.relation('creator', { type: Principal, description: 'The principal that created it.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was created.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the key expires. Null if it never expires.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When the key was last used, to the minute.',
    }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'When the key was revoked.' }),
  }),
})

findNodesOf('ApiKey', { role: 'OWNER', find: (ids, asked) => readByIds(ApiKey, ids, asked) })

const newestFirst: RelationalOrder = {
  list: 'apiKeys',
  kinds: ['time', 'uuid'],
  columns: ['createdAt', 'id'],
  descending: true,
}

const ApiKeyEdge = builder.edgeObject({ type: ApiKey, name: 'ApiKeyEdge', description: 'An API key in a page.' })

const ApiKeyConnection = builder.connectionObject(
  { type: ApiKey, name: 'ApiKeyConnection', description: 'A page of API keys.' },
  ApiKeyEdge,
)

builder.queryFields((t) => ({
  apiKeys: t.connection(
    {
      type: ApiKey,
      nullable: true,
      authScopes: { role: 'OWNER' },
      description: 'The API keys of the tenant, revoked and expired ones included, newest first.',
      extensions: relational,
      resolve: (_root, page, context, info) => readPage(ApiKey, newestFirst, page, { context, info }),
    },
    ApiKeyConnection,
  ),
}))

const CreateApiKeyInput = builder.inputType('CreateApiKeyInput', {
  description: 'The API key to create.',
  fields: (t) => ({
    name: t.string({
      required: true,
      description: 'The name of the key: what it is used for. At most 100 characters.',
    }),
    role: t.field({
      type: RoleEnum,
      required: true,
      description: 'The role of the key. At most the role of the caller.',
    }),
    expiresAt: t.field({ type: 'DateTime', description: 'When the key expires. Default: never.' }),
  }),
})

const RevokeApiKeyInput = builder.inputType('RevokeApiKeyInput', {
  description: 'The API key to revoke.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the API key.' }) }),
})

/** The columns that `plugin-drizzle` needs to read the rest of a key. */
type KeyName = Pick<ApiKeyRow, 'tenantId' | 'id'>

const CreateApiKeySuccess = builder
  .objectRef<{ readonly apiKey: KeyName; readonly secret: string }>('CreateApiKeySuccess')
  .implement({
    description: 'The key was created.',
    fields: (t) => ({
      apiKey: t.field({ type: ApiKey, description: 'The key.', resolve: ({ apiKey }) => apiKey }),
      secret: t.exposeString('secret', {
        description: 'The secret, to be sent as `authorization: Bearer …`. It cannot be read again.',
      }),
    }),
  })

const RevokeApiKeySuccess = builder.objectRef<KeyName>('RevokeApiKeySuccess').implement({
  description: 'The key is revoked.',
  fields: (t) => ({ apiKey: t.field({ type: ApiKey, description: 'The key.', resolve: (key) => key }) }),
})

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateApiKeySuccess,
    errors: { types: [Invalid], union: { description: 'The result of `createApiKey`.' } },
    nullable: true,
    authScopes: { role: 'OWNER' },
    description: 'Creates an API key and returns its secret once.',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'The API key.' }) },
    resolve: (_root, { input: { name, role, expiresAt } }, context) =>
      createApiKey(callerOf(context), { name, role, expiresAt: expiresAt ?? null }),
  }),
  revokeApiKey: t.field({
    type: RevokeApiKeySuccess,
    errors: { types: [NotFound], union: { description: 'The result of `revokeApiKey`.' } },
    nullable: true,
    authScopes: { role: 'OWNER' },
    description: 'Revokes an API key, effective immediately. Idempotent.',
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true, description: 'The API key.' }) },
    resolve: (_root, { input }, context) => revokeApiKey(callerOf(context), idOf('ApiKey', input.id) ?? noId),
  }),
}))
