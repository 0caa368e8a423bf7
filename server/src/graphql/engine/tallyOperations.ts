import type { ApolloServerPlugin } from '@apollo/server'
import { type GraphQLSchema, Kind, type OperationDefinitionNode } from 'graphql'
import type { RequestContext } from '../requestContext.ts'

/** Tallies which operation a request sent, and the codes of its errors. */
export const tallyOperations: ApolloServerPlugin<RequestContext> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ schema, operation, contextValue: { tally } }) => {
      tally.operationName = operation?.name?.value ?? null
      tally.rootField = operation ? rootFieldOf(schema, operation) : null
    },
    willSendResponse: async ({ response, contextValue: { tally } }) => {
      if (response.body.kind !== 'single') return
      for (const { extensions } of response.body.singleResult.errors ?? []) {
        if (typeof extensions?.['code'] === 'string') tally.codes.add(extensions['code'])
      }
    },
  }),
}

/**
 * One of as many values as the schema has root fields: clients choose the names of operations, and the document is not
 * validated yet.
 */
function rootFieldOf(schema: GraphQLSchema, { operation, selectionSet }: OperationDefinitionNode): string {
  const [selection, ...others] = selectionSet.selections
  if (others.length > 0 || selection?.kind !== Kind.FIELD) return 'several'
  const name = selection.name.value
  if (name.startsWith('__')) return 'introspection'
  const fields = schema.getRootType(operation)?.getFields() ?? {}
  return Object.hasOwn(fields, name) ? name : 'unknown'
}
