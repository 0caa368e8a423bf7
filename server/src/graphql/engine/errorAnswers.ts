import { ApolloServerErrorCode, unwrapResolverError } from '@apollo/server/errors'
import { type FormattedExecutionResult, GraphQLError, type GraphQLFormattedError, Kind } from 'graphql'
import type { Logger } from 'pino'
import { isKeyEnded } from '../../domain/identity/authenticate/apiKey.ts'
import { Refusal, Unauthenticated } from '../../domain/refusals.ts'
import { isServiceUnavailable, retryAfterSeconds } from '../../domain/serviceUnavailable.ts'

/** The HTTP status of a response that has only errors, by the code of the first error. */
const statusOf: Record<string, number> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  BAD_REQUEST: 400,
  BAD_USER_INPUT: 400,
  GRAPHQL_VALIDATION_FAILED: 400,
  SERVICE_UNAVAILABLE: 503,
  INTERNAL_SERVER_ERROR: 500,
}

/** Codes of errors that the GraphQL layer raises. Their messages describe only the operation. */
const ownCodes = new Set<unknown>([
  ApolloServerErrorCode.GRAPHQL_PARSE_FAILED,
  ApolloServerErrorCode.GRAPHQL_VALIDATION_FAILED,
  ApolloServerErrorCode.BAD_REQUEST,
  ApolloServerErrorCode.BAD_USER_INPUT,
  ApolloServerErrorCode.OPERATION_RESOLUTION_FAILURE,
  ApolloServerErrorCode.PERSISTED_QUERY_NOT_SUPPORTED,
])

/** A message can quote a name or a value of the request, which can be long. */
const longestMessage = 500

/** Formats an error for the caller. */
export function formatError(
  formatted: GraphQLFormattedError,
  error: unknown,
  showsSchema: boolean,
): GraphQLFormattedError {
  const found = causeOf(error)
  const cause = isKeyEnded(found) ? new Unauthenticated() : found
  const place = {
    ...(formatted.path && { path: formatted.path }),
    ...(formatted.locations && { locations: formatted.locations }),
  }
  if (cause instanceof Refusal) return { ...place, message: cause.message, extensions: { code: cause.code } }
  if (isServiceUnavailable(cause)) {
    const message = 'The service is not available right now. Please try again in a moment.'
    return { ...place, message, extensions: { code: 'SERVICE_UNAVAILABLE', retryAfterSeconds } }
  }
  const code = isCoercionError(error) ? ApolloServerErrorCode.BAD_USER_INPUT : formatted.extensions?.['code']
  if (!ownCodes.has(code)) {
    return { ...place, message: 'Something went wrong on our side.', extensions: { code: 'INTERNAL_SERVER_ERROR' } }
  }
  return { ...place, message: wordOwn(formatted.message, showsSchema), extensions: { code } }
}

/** The error that a resolver threw, or the reason why the whole operation was refused. */
const causeOf = (error: unknown): unknown =>
  error instanceof GraphQLError && error.originalError instanceof Refusal
    ? error.originalError
    : unwrapResolverError(error)

function wordOwn(message: string, showsSchema: boolean): string {
  // The parser's message contains the limit.
  if (/tokens/i.test(message)) return 'The operation asks for too much.'
  // Apollo hides suggestions in validation errors, but not in errors about variables.
  const shown = showsSchema ? message : message.replace(/ ?Did you mean .*\?$/s, '')
  return shown.length > longestMessage ? `${shown.slice(0, longestMessage)}…` : shown
}

/** True for a defect: an error that is neither a refusal nor a fault in the operation. */
export function isDefect(error: GraphQLError): boolean {
  const cause = causeOf(error)
  if (cause instanceof Refusal || isKeyEnded(cause) || isServiceUnavailable(cause)) return false
  return !ownCodes.has(error.extensions['code']) && !isCoercionError(error)
}

const valueKinds = new Set<string>([
  Kind.VARIABLE,
  Kind.INT,
  Kind.FLOAT,
  Kind.STRING,
  Kind.BOOLEAN,
  Kind.NULL,
  Kind.ENUM,
  Kind.LIST,
  Kind.OBJECT,
])

/**
 * True if graphql-js refused a value of the caller while it executed a valid operation, such as null from a variable
 * with a default. These errors have no code. They point at the value in the document. An error of a resolver points at
 * its field, or at nothing.
 */
function isCoercionError(error: unknown): boolean {
  const raw = error instanceof GraphQLError ? (error.originalError ?? error) : error
  if (!(raw instanceof GraphQLError) || raw.originalError !== undefined) return false
  return valueKinds.has(raw.nodes?.[0]?.kind ?? '')
}

export const logDefects = (
  logger: Pick<Logger, 'error'>,
  errors: readonly GraphQLError[],
  requestId: string | null | undefined,
): void => {
  for (const error of errors) {
    if (isDefect(error)) logger.error({ err: causeOf(error), requestId }, 'A request failed')
  }
}

/** Undefined if the response has data or if the status is already set. */
export function statusFor(answer: FormattedExecutionResult): number | undefined {
  const code = answer.errors?.[0]?.extensions?.['code']
  return typeof code === 'string' && isRefusedWhole(answer) ? statusOf[code] : undefined
}

/** True if every root field failed. If one succeeded, the response is a partial success with status 200. */
function isRefusedWhole({ data, errors = [] }: FormattedExecutionResult): boolean {
  if (data === null || data === undefined) return true
  const failed = new Set(errors.map(({ path }) => path?.[0]))
  return Object.entries(data).every(([field, value]) => value === null && failed.has(field))
}
