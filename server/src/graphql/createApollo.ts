import { ApolloServer, type ApolloServerPlugin } from '@apollo/server'
import { ApolloServerErrorCode, unwrapResolverError } from '@apollo/server/errors'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import { type FormattedExecutionResult, GraphQLError, type GraphQLFormattedError, Kind } from 'graphql'
import type { Logger } from 'pino'
import { isKeyEnded } from '../domain/identity/keyProof.ts'
import { Refusal, Unauthenticated } from '../domain/refusals.ts'
import { isServiceUnavailable } from '../domain/serviceUnavailable.ts'
import { compiledQueries } from './compiledQueries.ts'
import { asksTooMuch, operationLimits } from './operationLimits.ts'
import type { RequestContext } from './requestContext.ts'
import { schema } from './schema.ts'

/**
 * Headers that a page of another site cannot send without asking first (a CORS preflight). `authorization` is among them
 * because only a bearer token is accepted in it, which no browser adds by itself.
 */
const preflightedHeaders = ['authorization', 'x-filegraph-csrf', 'apollo-require-preflight', 'x-apollo-operation-name']

export interface ApolloOptions {
  readonly introspection: boolean
  readonly logger: Pick<Logger, 'error' | 'warn' | 'info' | 'debug'>
}

/** The GraphQL server without its web server. Bounds hold before any resolver runs; what is no refusal is masked. */
export function createApollo({ introspection, logger }: ApolloOptions): ApolloServer<RequestContext> {
  return new ApolloServer<RequestContext>({
    schema,
    introspection,
    logger,
    csrfPrevention: { requestHeaders: [...preflightedHeaders] },
    allowBatchedHttpRequests: false,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: !introspection,
    parseOptions: { maxLexicalTokens: operationLimits.tokens },
    // A cache of documents is kept; a cache of answers would outlive signed addresses.
    persistedQueries: false,
    stopOnTerminationSignals: false,
    formatError: (formatted, error) => formatError(formatted, error, introspection),
    plugins: [
      // Costs half a millisecond a request and answers here are never cacheable.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      limitsBeforeExecution,
      compiledQueries(),
      errorsToStatusAndLog(logger),
    ],
  })
}

const tooMuch = () =>
  new GraphQLError('The operation asks for too much.', {
    extensions: { code: 'BAD_USER_INPUT', http: { status: 400 } },
  })

/** Validation lets operations pass for which the schema has no type: subscriptions. */
const noSuchOperation = () =>
  new GraphQLError('There are no operations of this kind.', {
    extensions: { code: 'BAD_REQUEST', http: { status: 400 } },
  })

const limitsBeforeExecution: ApolloServerPlugin<RequestContext> = {
  requestDidStart: async () => ({
    didResolveOperation: async ({ schema: current, document, operation, request }) => {
      if (operation && !current.getRootType(operation.operation)) throw noSuchOperation()
      const fragments = new Map(
        document.definitions
          .filter((definition) => definition.kind === Kind.FRAGMENT_DEFINITION)
          .map((fragment) => [fragment.name.value, fragment]),
      )
      if (operation && asksTooMuch({ schema: current, operation, fragments, variables: request.variables ?? {} }))
        throw tooMuch()
    },
  }),
}

/** HTTP status of an answer that holds nothing but errors, by the code of the first one. */
const statusOf: Record<string, number> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  BAD_USER_INPUT: 400,
  SERVICE_UNAVAILABLE: 503,
  INTERNAL_SERVER_ERROR: 500,
}

function errorsToStatusAndLog(logger: ApolloOptions['logger']): ApolloServerPlugin<RequestContext> {
  return {
    requestDidStart: async () => ({
      didEncounterErrors: async ({ errors, contextValue }) => {
        for (const error of errors) {
          const cause = unwrapResolverError(error)
          if (isDefect(error))
            logger.error({ err: cause, requestId: contextValue.caller?.origin.requestId }, 'A request failed')
        }
      },
      willSendResponse: async ({ response, errors, contextValue }) => {
        if (response.body.kind !== 'single' || !errors) return
        const { singleResult } = response.body
        const requestId = contextValue.caller?.origin.requestId
        for (const error of singleResult.errors ?? []) {
          if (error.extensions?.['code'] === 'INTERNAL_SERVER_ERROR' && requestId) {
            Object.assign(error.extensions, { requestId })
          }
        }
        const code = singleResult.errors?.[0]?.extensions?.['code']
        if (isRefusedWhole(singleResult) && typeof code === 'string' && statusOf[code] && !response.http.status) {
          response.http.status = statusOf[code]
        }
      },
    }),
  }
}

/** True if every root field failed. An answer to one of them makes it a partial success, which is 200. */
function isRefusedWhole({ data, errors = [] }: FormattedExecutionResult): boolean {
  if (data === null || data === undefined) return true
  const failed = new Set(errors.map(({ path }) => path?.[0]))
  return Object.entries(data).every(([field, value]) => value === null && failed.has(field))
}

/** Errors of the GraphQL layer itself, whose messages speak of the operation and of nothing else. */
const ownCodes = new Set<unknown>([
  ApolloServerErrorCode.GRAPHQL_PARSE_FAILED,
  ApolloServerErrorCode.GRAPHQL_VALIDATION_FAILED,
  ApolloServerErrorCode.BAD_REQUEST,
  ApolloServerErrorCode.BAD_USER_INPUT,
  ApolloServerErrorCode.OPERATION_RESOLUTION_FAILURE,
  ApolloServerErrorCode.PERSISTED_QUERY_NOT_SUPPORTED,
])

function isDefect(error: GraphQLError): boolean {
  const cause = unwrapResolverError(error)
  if (cause instanceof Refusal || isKeyEnded(cause) || isServiceUnavailable(cause)) return false
  return !ownCodes.has(error.extensions['code'])
}

/** What a caller gets to see of an error. */
function formatError(formatted: GraphQLFormattedError, error: unknown, showsSchema: boolean): GraphQLFormattedError {
  const found = unwrapResolverError(error)
  const cause = isKeyEnded(found) ? new Unauthenticated() : found
  const place = {
    ...(formatted.path && { path: formatted.path }),
    ...(formatted.locations && { locations: formatted.locations }),
  }
  if (cause instanceof Refusal) return { ...place, message: cause.message, extensions: { code: cause.code } }
  if (isServiceUnavailable(cause)) {
    const message = 'The service is not available right now. Please try again in a moment.'
    return { ...place, message, extensions: { code: 'SERVICE_UNAVAILABLE' } }
  }
  const code = formatted.extensions?.['code']
  if (!ownCodes.has(code)) {
    return { ...place, message: 'Something went wrong on our side.', extensions: { code: 'INTERNAL_SERVER_ERROR' } }
  }
  // The parser's message names the bound.
  if (/tokens/i.test(formatted.message)) {
    return { ...place, message: 'The operation asks for too much.', extensions: { code } }
  }
  // Apollo hides the suggestions of validation alone, not those about the values of variables.
  const message = showsSchema ? formatted.message : formatted.message.replace(/ ?Did you mean .*\?$/s, '')
  return { ...place, message, extensions: { code } }
}
