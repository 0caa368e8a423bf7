import { createApiKey } from '../../domain/identity/keys/createApiKey.ts'
import { type ApiKey as ApiKeyRow, listApiKeys } from '../../domain/identity/keys/listApiKeys.ts'
import { revokeApiKey } from '../../domain/identity/keys/revokeApiKey.ts'
import { Invalid, NotFound } from '../../domain/refusals.ts'
import { builder, connectionOf } from '../builder.ts'
import { RoleEnum } from '../enums.ts'
import { idOf, noId } from '../globalId.ts'
import { NodeInterface, nodeId } from '../node.ts'
import { callerOf, loadersOf, type RequestContext } from '../requestContext.ts'
import { Principal } from './Principal.ts'

const ApiKey = builder.objectRef<ApiKeyRow>('ApiKey').implement({
  description: 'An API key, with which a program acts in the tenant. The secret is shown once and never stored.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({ description: 'The global id. Opaque.', resolve: ({ id }) => nodeId('ApiKey', id) }),
    name: t.exposeString('name', { description: 'The name of the key: what it is used for.' }),
    role: t.field({ type: RoleEnum, description: 'The role of the key.', resolve: ({ role }) => role }),
    createdBy: t.field({
      type: Principal,
      description: 'The principal that created it.',
      resolve: ({ createdBy }) => createdBy,
    }),
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
      resolve: async (_root, page, context) => connectionOf(await listApiKeys(callerOf(context), page), {}),
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

const CreateApiKeySuccess = builder.objectRef<{ id: string; secret: string }>('CreateApiKeySuccess').implement({
  description: 'The key was created.',
  fields: (t) => ({
    apiKey: t.field({
      type: ApiKey,
      description: 'The key.',
      resolve: ({ id }, _args, context) => keyById(context, id),
    }),
    secret: t.exposeString('secret', {
      description: 'The secret, to be sent as `authorization: Bearer …`. It cannot be read again.',
    }),
  }),
})

const RevokeApiKeySuccess = builder.objectRef<{ id: string }>('RevokeApiKeySuccess').implement({
  description: 'The key is revoked.',
  fields: (t) => ({
    apiKey: t.field({
      type: ApiKey,
      description: 'The key.',
      resolve: ({ id }, _args, context) => keyById(context, id),
    }),
  }),
})

async function keyById(context: RequestContext, id: string): Promise<ApiKeyRow> {
  const key = await loadersOf(context).apiKeys.clear(id).load(id)
  if (!key) throw new Error(`API key ${id} vanished`)
  return key
}

builder.mutationFields((t) => ({
  createApiKey: t.field({
    type: CreateApiKeySuccess,
    errors: { types: [Invalid], union: { description: 'The result of `createApiKey`.' } },
    nullable: true,
    authScopes: { role: 'OWNER' },
    description: 'Creates an API key and returns its secret once.',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'The API key.' }) },
    resolve: async (_root, { input }, context) => {
      const { apiKey, secret } = await createApiKey(callerOf(context), {
        name: input.name,
        role: input.role,
        expiresAt: input.expiresAt ?? null,
      })
      return { id: apiKey.id, secret }
    },
  }),
  revokeApiKey: t.field({
    type: RevokeApiKeySuccess,
    errors: { types: [NotFound], union: { description: 'The result of `revokeApiKey`.' } },
    nullable: true,
    authScopes: { role: 'OWNER' },
    description: 'Revokes an API key, effective immediately. Idempotent.',
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true, description: 'The API key.' }) },
    resolve: async (_root, { input }, context) => {
      const id = idOf('ApiKey', input.id) ?? noId
      await revokeApiKey(callerOf(context), id)
      return { id }
    },
  }),
}))
