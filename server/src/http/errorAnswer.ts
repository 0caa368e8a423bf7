import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Logger } from 'pino'
import { RateLimited, Refusal, type RefusalCode } from '../domain/refusals.ts'
import { isServiceUnavailable, retryAfterSeconds } from '../domain/serviceUnavailable.ts'
import { factsOf, pathOf } from './logRequests.ts'

/** The response to a request that failed before it reached GraphQL. */
interface ErrorAnswer {
  readonly status: number
  readonly code: string
  readonly message: string
}

const statusOfRefusal: Partial<Record<RefusalCode, number>> = {
  UNAUTHENTICATED: 401,
  FORBIDDEN: 403,
  RATE_LIMITED: 429,
  NOT_FOUND: 404,
  CONFLICT: 409,
}

/** Replacements for the messages of Fastify, which reveal limits and quote input. */
const requestErrors: Record<number, Omit<ErrorAnswer, 'status'>> = {
  404: { code: 'NOT_FOUND', message: 'There is nothing here.' },
  405: { code: 'METHOD_NOT_ALLOWED', message: 'This address does not answer to that method.' },
  413: { code: 'PAYLOAD_TOO_LARGE', message: 'The request is too large.' },
  415: { code: 'UNSUPPORTED_MEDIA_TYPE', message: 'Please send JSON.' },
}

const unreadable = { code: 'BAD_REQUEST', message: 'The request could not be read.' }

function answerFor(error: unknown): ErrorAnswer {
  if (error instanceof Refusal) {
    return { status: statusOfRefusal[error.code] ?? 400, code: error.code, message: error.message }
  }
  const { statusCode } = error as { statusCode?: unknown }
  if (typeof statusCode === 'number' && statusCode >= 400 && statusCode < 500) {
    // A directory, or a file that is not served, looks like a missing file.
    const status = statusCode === 403 ? 404 : statusCode
    return { status, ...(requestErrors[status] ?? unreadable) }
  }
  if (isServiceUnavailable(error)) {
    const message = 'The service is not available right now. Please try again in a moment.'
    return { status: 503, code: 'SERVICE_UNAVAILABLE', message }
  }
  return { status: 500, code: 'INTERNAL_SERVER_ERROR', message: 'Something went wrong on our side.' }
}

/** Answers a failed request, with GraphQL errors if the path is /graphql. Defects are logged and masked. */
export function answerError(
  logger: Logger,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const answer = answerFor(error)
  // A URL that cannot be decoded has a plain request without a tally.
  request.tally?.codes.add(answer.code)
  if (answer.status === 500) logger.error({ ...factsOf(request), err: error }, 'A request failed')
  if (answer.status === 503) logger.warn({ ...factsOf(request), err: error }, 'A request found no service')
  if (error instanceof RateLimited) reply.header('retry-after', error.retryAfterSeconds)
  if (answer.status === 503) reply.header('retry-after', retryAfterSeconds)
  // RFC 9110, section 11.6.1: a 401 names the scheme to use.
  if (answer.status === 401) reply.header('www-authenticate', 'Bearer')
  return reply
    .code(answer.status)
    .header('cache-control', 'no-store')
    .type('application/json; charset=utf-8')
    .send(JSON.stringify(bodyOf(answer, request)))
}

function bodyOf({ status, code, message }: ErrorAnswer, request: FastifyRequest) {
  const facts = { code, ...(status === 500 && { requestId: request.id }) }
  return isGraphqlPath(pathOf(request)) ? { errors: [{ message, extensions: facts }] } : { ...facts, message }
}

export const isGraphqlPath = (path: string): boolean => path === '/graphql' || path.startsWith('/graphql/')

/** Nothing answers at this address. */
export const nothingHere = () => Object.assign(new Error('Nothing answers here'), { statusCode: 404 })
