import { type ApolloServerPlugin, type GraphQLResponse, HeaderMap } from '@apollo/server'
import { ApolloServerErrorCode } from '@apollo/server/errors'
import {
  type DocumentNode,
  type ExecutionResult,
  getVariableValues,
  GraphQLError,
  type GraphQLSchema,
  NoSchemaIntrospectionCustomRule,
  type OperationDefinitionNode,
  specifiedRules,
  validate,
} from 'graphql'
import type { Logger } from 'pino'
import { Unauthenticated } from '../../domain/refusals.ts'
import type { RequestContext } from '../requestContext.ts'
import { runCompiled } from './compiledQueries.ts'
import type { DocumentCache } from './documentCache.ts'
import { formatError, logDefects } from './errorAnswers.ts'
import { costsTooMuch, isLargeValue } from './operationCost.ts'
import { anonymousLimits, measureDocument, operationLimits } from './operationLimits.ts'

export interface CheckOptions {
  readonly documents: DocumentCache
  readonly introspection: boolean
  readonly logger: Pick<Logger, 'error'>
}

interface Asked {
  readonly schema: GraphQLSchema
  readonly document: DocumentNode
  /** Undefined if the document has no operation of the requested name. */
  readonly operation: OperationDefinitionNode | undefined
  readonly variables: Record<string, unknown>
  readonly contextValue: RequestContext
}

/**
 * Runs between parsing and execution. Apollo validates before a plugin can see the document, so its validation is off
 * and happens here. The checks run in the order of their cost: measure the text, validate, coerce the variables,
 * estimate the response. Queries that are sent repeatedly then run compiled.
 */
export function checkedOperations(options: CheckOptions): ApolloServerPlugin<RequestContext> {
  const { documents, introspection, logger } = options
  return {
    requestDidStart: async () => ({
      responseForOperation: async ({ schema, document, operation, request, contextValue }) => {
        const asked = { schema, document, operation, variables: request.variables ?? {}, contextValue }
        const errors = refuse(asked, options)
        const result = errors.length > 0 ? { errors } : await runKnown(asked, documents)
        if (result === null) return null
        if (result.errors) logDefects(logger, result.errors, contextValue.caller?.origin.requestId)
        return responseOf(result, introspection)
      },
    }),
  }
}

/** Returns an empty list if the operation may run. */
function refuse(asked: Asked, options: CheckOptions): readonly GraphQLError[] {
  const isAnonymous = asked.contextValue.caller === null
  const isKnown = options.documents.find(asked.document) !== undefined
  let readsData = false
  if (!isKnown || isAnonymous) {
    const measured = measureDocument(asked.document, isAnonymous ? anonymousLimits : operationLimits)
    if (measured.asksTooMuch) return [tooMuch()]
    readsData = measured.readsData
    const invalid = isKnown ? [] : validateDocument(asked, options.introspection)
    if (invalid.length > 0) return invalid
    if (!isAnonymous) options.documents.keep(asked.document)
  }
  const refused = asked.operation ? refuseOperation(asked, asked.operation) : []
  if (refused.length > 0 || !isAnonymous || !readsData) return refused
  return [new GraphQLError('No caller', { originalError: new Unauthenticated() })]
}

function refuseOperation(asked: Asked, operation: OperationDefinitionNode): readonly GraphQLError[] {
  // Validation accepts an operation type that the schema does not have, such as a subscription.
  if (!asked.schema.getRootType(operation.operation)) {
    return [ownError('There are no operations of this kind.', ApolloServerErrorCode.BAD_REQUEST)]
  }
  if (isLargeValue(asked.variables)) return [tooMuch()]
  const values = getVariableValues(asked.schema, operation.variableDefinitions ?? [], asked.variables, {
    maxErrors: mostValueErrors,
  })
  if (values.errors) return values.errors.map((error) => withCode(error, ApolloServerErrorCode.BAD_USER_INPUT))
  return costsTooMuch({ ...asked, operation, variables: values.coerced }) ? [tooMuch()] : []
}

const mostErrors = 5
/** Each error quotes the whole value, whose size is not bounded here. */
const mostValueErrors = 3

function validateDocument({ schema, document }: Asked, introspection: boolean): readonly GraphQLError[] {
  const rules = introspection ? specifiedRules : [...specifiedRules, NoSchemaIntrospectionCustomRule]
  const errors = validate(schema, document, rules, { maxErrors: mostErrors, hideSuggestions: !introspection })
  return errors.map((error) => withCode(error, ApolloServerErrorCode.GRAPHQL_VALIDATION_FAILED))
}

async function runKnown(asked: Asked, documents: DocumentCache): Promise<ExecutionResult | null> {
  const { document, operation, contextValue } = asked
  const known = contextValue.caller === null ? undefined : documents.find(document)
  if (!known || !operation) return null
  return runCompiled(known, { ...asked, operation }, () => documents.takeCompilation())
}

function responseOf({ data, errors }: ExecutionResult, introspection: boolean): GraphQLResponse {
  const formatted = errors?.map((error) => formatError(error.toJSON(), error, introspection))
  const singleResult = { ...(formatted && { errors: formatted }), ...(data !== undefined && { data }) }
  return { http: { headers: new HeaderMap() }, body: { kind: 'single', singleResult } }
}

const tooMuch = () => ownError('The operation asks for too much.', ApolloServerErrorCode.BAD_USER_INPUT)

const ownError = (message: string, code: ApolloServerErrorCode) => new GraphQLError(message, { extensions: { code } })

function withCode(error: GraphQLError, code: ApolloServerErrorCode): GraphQLError {
  const { message, nodes, source, positions, extensions } = error
  const place = { ...(nodes && { nodes }), ...(source && { source }), ...(positions && { positions }) }
  return new GraphQLError(message, { ...place, extensions: { ...extensions, code } })
}
