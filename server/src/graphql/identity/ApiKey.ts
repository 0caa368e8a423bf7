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
  description: 'A key with which a program acts in the tenant. The secret is shown once and kept nowhere.',
  interfaces: [NodeInterface],
  fields: (t) => ({
    id: t.id({ description: 'Opaque and global.', resolve: ({ id }) => nodeId('ApiKey', id) }),
    name: t.exposeString('name', { description: 'What it is for.' }),
    role: t.field({ type: RoleEnum, description: 'What it may do.', resolve: ({ role }) => role }),
    createdBy: t.field({ type: Principal, description: 'Who made it.', resolve: ({ createdBy }) => createdBy }),
    createdAt: t.expose('createdAt', { type: 'DateTime', description: 'When it was made.' }),
    expiresAt: t.expose('expiresAt', {
      type: 'DateTime',
      nullable: true,
      description: 'Until when it works; null is for ever.',
    }),
    lastUsedAt: t.expose('lastUsedAt', {
      type: 'DateTime',
      nullable: true,
      description: 'When it was last used, to the minute.',
    }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true, description: 'Since when it is refused.' }),
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
  description: 'A new API key.',
  fields: (t) => ({
    name: t.string({ required: true, description: 'What it is for, in at most 100 characters.' }),
    role: t.field({ type: RoleEnum, required: true, description: 'What it may do; at most what its maker may.' }),
    expiresAt: t.field({ type: 'DateTime', description: 'Until when it works; for ever unless told.' }),
  }),
})

const RevokeApiKeyInput = builder.inputType('RevokeApiKeyInput', {
  description: 'A key to be refused from now on.',
  fields: (t) => ({ id: t.id({ required: true, description: 'The id of the API key.' }) }),
})

const CreateApiKeySuccess = builder.objectRef<{ id: string; secret: string }>('CreateApiKeySuccess').implement({
  description: 'The key works.',
  fields: (t) => ({
    apiKey: t.field({
      type: ApiKey,
      description: 'The key.',
      resolve: ({ id }, _args, context) => keyById(context, id),
    }),
    secret: t.exposeString('secret', {
      description: 'What to send as `authorization: Bearer …`. It is shown here and never again.',
    }),
  }),
})

const RevokeApiKeySuccess = builder.objectRef<{ id: string }>('RevokeApiKeySuccess').implement({
  description: 'The key is refused from now on.',
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
    errors: { types: [Invalid], union: { description: 'The answer of `createApiKey`.' } },
    nullable: true,
    authScopes: { role: 'OWNER' },
    description: 'Makes an API key and answers with its secret, once.',
    args: { input: t.arg({ type: CreateApiKeyInput, required: true, description: 'Which key.' }) },
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
    errors: { types: [NotFound], union: { description: 'The answer of `revokeApiKey`.' } },
    nullable: true,
    authScopes: { role: 'OWNER' },
    description: 'Refuses a key from now on. Doing so twice answers the same.',
    args: { input: t.arg({ type: RevokeApiKeyInput, required: true, description: 'Which key.' }) },
    resolve: async (_root, { input }, context) => {
      const id = idOf('ApiKey', input.id) ?? noId
      await revokeApiKey(callerOf(context), id)
      return { id }
    },
  }),
}))
