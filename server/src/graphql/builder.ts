import SchemaBuilder from '@pothos/core'
import DrizzlePlugin from '@pothos/plugin-drizzle'
import ErrorsPlugin from '@pothos/plugin-errors'
import RelayPlugin from '@pothos/plugin-relay'
import ScopeAuthPlugin from '@pothos/plugin-scope-auth'
// oxlint-disable-next-line eslint/no-restricted-imports -- the one place where types meet tables
import { getTableConfig, relations, type Relations } from '../database/relations.ts'
import { readingRelations, type Role } from '../domain/context.ts'
import { limits } from '../domain/limits.ts'
import type { Page } from '../domain/paging/page.ts'
import { Forbidden, Unauthenticated } from '../domain/refusals.ts'
import { tallyRefusals } from './engine/tallyRefusals.ts'
import { callerOf, type RequestContext } from './requestContext.ts'

const rank: Record<Role, number> = { VIEWER: 0, MEMBER: 1, ADMIN: 2, OWNER: 3 }

export const hasRole = (held: Role | undefined, asked: Role): boolean => held !== undefined && rank[held] >= rank[asked]

/** Builds the types of this folder. Every root field declares the role that it requires. */
export const builder = new SchemaBuilder<{
  Context: RequestContext
  DrizzleRelations: Relations
  DefaultFieldNullability: false
  DefaultEdgesNullability: false
  DefaultNodeNullability: false
  AuthScopes: { role: Role }
  Scalars: {
    ID: { Input: string; Output: string }
    DateTime: { Input: Date; Output: Date }
    ByteSize: { Input: number; Output: number }
    JSONObject: { Input: Record<string, unknown>; Output: Record<string, unknown> }
  }
}>({
  plugins: [ErrorsPlugin, ScopeAuthPlugin, RelayPlugin, DrizzlePlugin, tallyRefusals],
  defaultFieldNullability: false,
  drizzle: {
    // The plugin's client type also has a count, which nothing here calls.
    client: (context) => readingRelations(callerOf(context)) as never,
    getTableConfig,
    relations,
  },
  errors: {
    directResult: true,
    defaultUnionOptions: {
      name: ({ fieldName }) => `${capitalised(fieldName)}Result`,
    },
  },
  scopeAuth: {
    treatErrorsAsUnauthorized: false,
    authScopes: ({ caller }) => ({ role: (asked) => hasRole(caller?.principal.role, asked) }),
    unauthorizedError: (_parent, { caller }) => (caller ? new Forbidden() : new Unauthenticated()),
  },
  relay: {
    nodeQueryOptions: false,
    nodesQueryOptions: false,
    cursorType: 'String',
    edgesFieldOptions: { nullable: false, description: 'The rows of this page with their cursors.' },
    nodeFieldOptions: { nullable: false, description: 'The row.' },
    nodesOnConnection: { description: 'The rows of this page, without cursors.' },
    cursorFieldOptions: { description: 'The cursor of the row, for `after` and `before`.' },
    pageInfoFieldOptions: { description: 'Information about the neighbouring pages.' },
    pageInfoTypeOptions: { description: 'Information about the neighbouring pages of a page.' },
    hasNextPageFieldOptions: { description: 'Whether rows follow this page.' },
    hasPreviousPageFieldOptions: { description: 'Whether rows come before this page.' },
    startCursorFieldOptions: { description: 'Cursor of the first row; null on an empty page.' },
    endCursorFieldOptions: { description: 'Cursor of the last row; null on an empty page.' },
    firstArgOptions: {
      description: `The number of rows to return. Default: ${limits.pageRows}. At most ${limits.maxPageRows}.`,
    },
    afterArgOptions: {
      description: 'Return rows after this cursor. An invalid cursor starts at the beginning of the list.',
    },
    lastArgOptions: {
      description: `The number of rows to return from the end of the range, instead of from its start. At most ${limits.maxPageRows}.`,
    },
    beforeArgOptions: {
      description: 'Return rows before this cursor. An invalid cursor starts at the end of the list.',
    },
  },
})

/** The extensions of a field that a relational query reads. A document with such a field is not compiled. */
export const relational = { relational: true } as const

const capitalised = (name: string) => `${name.slice(0, 1).toUpperCase()}${name.slice(1)}`

builder.queryType({ description: 'All read operations. They change nothing.' })
builder.mutationType({
  description:
    'All write operations. Each returns a union of its success type and the errors that a caller can handle.',
})

/** Converts a page to the shape of Relay's connection type and adds further fields. */
export const connectionOf = <T, More extends object>(page: Page<T>, more: More) => ({
  ...more,
  edges: [...page.edges],
  pageInfo: page.pageInfo,
})
