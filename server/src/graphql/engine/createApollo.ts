import { ApolloServer, type ApolloServerPlugin } from '@apollo/server'
import {
  ApolloServerPluginCacheControlDisabled,
  ApolloServerPluginLandingPageDisabled,
  ApolloServerPluginUsageReportingDisabled,
} from '@apollo/server/plugin/disabled'
import type { Logger } from 'pino'
import { retryAfterSeconds } from '../../domain/serviceUnavailable.ts'
import type { RequestContext } from '../requestContext.ts'
import { schema } from '../schema.ts'
import { checkedOperations } from './checkedOperations.ts'
import { DocumentCache } from './documentCache.ts'
import { formatError, logDefects, statusFor } from './errorAnswers.ts'
import { operationLimits } from './operationLimits.ts'
import { tallyOperations } from './tallyOperations.ts'

/**
 * Headers that a page of another site cannot send without a CORS preflight. `authorization` is in the list because only
 * bearer tokens are accepted there, and no browser adds one by itself.
 */
const preflightedHeaders = ['authorization', 'x-filegraph-csrf', 'apollo-require-preflight', 'x-apollo-operation-name']

export interface ApolloOptions {
  readonly introspection: boolean
  readonly logger: Pick<Logger, 'error' | 'warn' | 'info' | 'debug'>
}

/**
 * The GraphQL server without its HTTP server. Limits apply before any resolver runs. Every error that is not a refusal
 * is masked.
 */
export function createApollo({ introspection, logger }: ApolloOptions): ApolloServer<RequestContext> {
  const documents = new DocumentCache()
  return new ApolloServer<RequestContext>({
    schema,
    introspection,
    logger,
    csrfPrevention: { requestHeaders: [...preflightedHeaders] },
    allowBatchedHttpRequests: false,
    includeStacktraceInErrorResponses: false,
    hideSchemaDetailsFromClientErrors: !introspection,
    parseOptions: { maxLexicalTokens: operationLimits.tokens },
    // `checkedOperations` validates, after it has measured the document.
    dangerouslyDisableValidation: true,
    documentStore: documents,
    // Responses are not cached, because a cache would keep signed URLs longer than they are valid.
    persistedQueries: false,
    stopOnTerminationSignals: false,
    formatError: (formatted, error) => formatError(formatted, error, introspection),
    plugins: [
      // The plugin costs half a millisecond per request, and no response here can be cached.
      ApolloServerPluginCacheControlDisabled(),
      ApolloServerPluginLandingPageDisabled(),
      ApolloServerPluginUsageReportingDisabled(),
      tallyOperations,
      checkedOperations({ documents, introspection, logger }),
      errorsToStatus,
      logEncountered(logger),
    ],
  })
}

/** Sets the status of a refused response and when to try again, and adds the request id to a masked error. */
const errorsToStatus: ApolloServerPlugin<RequestContext> = {
  requestDidStart: async () => ({
    willSendResponse: async ({ response, contextValue }) => {
      if (response.body.kind !== 'single') return
      const { singleResult } = response.body
      const requestId = contextValue.caller?.origin.requestId
      for (const error of singleResult.errors ?? []) {
        if (error.extensions?.['code'] === 'INTERNAL_SERVER_ERROR' && requestId) {
          Object.assign(error.extensions, { requestId })
        }
      }
      const status = statusFor(singleResult)
      if (status !== undefined && !response.http.status) response.http.status = status
      if (response.http.status === 503) response.http.headers.set('retry-after', String(retryAfterSeconds))
    },
  }),
}

const logEncountered = (logger: ApolloOptions['logger']): ApolloServerPlugin<RequestContext> => ({
  requestDidStart: async () => ({
    didEncounterErrors: async ({ errors, contextValue }) =>
      logDefects(logger, errors, contextValue.caller?.origin.requestId),
  }),
})
