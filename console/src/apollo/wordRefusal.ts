import { CombinedGraphQLErrors, ServerError } from '@apollo/client/errors'
import { formatBytes } from '../ui/formatBytes.ts'

/** An error of the API, from the union of a mutation. A newer server may send codes that this console does not know. */
export interface Refusal {
  readonly code: string
  readonly message: string
  readonly field?: string
  readonly reason?: string
  readonly neededBytes?: number
  readonly availableBytes?: number
}

const words: Record<string, string> = {
  UNAUTHENTICATED: 'Your session has ended. Sign in again to continue.',
  FORBIDDEN: 'You are not allowed to do this here.',
  RATE_LIMITED: 'Too many requests. Wait a moment, then try again.',
  SERVICE_UNAVAILABLE: 'Filegraph cannot reach its storage right now. Nothing is lost: try again in a moment.',
  BAD_USER_INPUT: 'The server did not understand this request. Reload the page, then try again.',
  NOT_FOUND: 'This no longer exists. Somebody may have deleted it.',
  QUOTA_EXCEEDED: 'There is not enough space left for this file.',
  UPLOAD_INCOMPLETE: 'The file has not arrived completely. Try again.',
  FILE_IN_USE: 'This file is in use. It cannot be deleted while it is.',
  CONTENT_MISMATCH: 'The content does not match the type of the file.',
  NETWORK: 'No answer from the server. Check your connection, then try again.',
}

/** Codes whose message from the server is used as it is: it names the value and the limit. */
const betterFromServer = new Set(['VALIDATION', 'CONFLICT', 'CONTENT_MISMATCH', 'QUOTA_EXCEEDED'])

/** The text that a person reads when a mutation is refused. */
export function wordRefusal({ code, message, neededBytes, availableBytes }: Partial<Refusal>): string {
  if (neededBytes !== undefined && availableBytes !== undefined) {
    return `There is not enough space: this file needs ${formatBytes(neededBytes)}, and ${formatBytes(availableBytes)} are left.`
  }
  if (code && betterFromServer.has(code) && message) return message
  return (code && words[code]) || message || 'This did not work.'
}

/** The text that a person reads when a request fails because of the network, the session or the server. */
export function wordError(error: unknown): string {
  const code = codeOf(error)
  const known = code && words[code]
  if (known) return known
  const requestId = requestIdOf(error)
  return `Something went wrong on our side.${requestId ? ` If you report it, mention ${requestId}.` : ''}`
}

/** The code of a failed request: the server's code, or NETWORK if there was no response. */
export function codeOf(error: unknown): string | undefined {
  const extensions = extensionsOf(error)
  if (typeof extensions['code'] === 'string') return extensions['code']
  if (error instanceof TypeError) return 'NETWORK'
  return ServerError.is(error) ? codesOfStatus[error.statusCode] : undefined
}

const codesOfStatus: Record<number, string> = {
  401: 'UNAUTHENTICATED',
  403: 'FORBIDDEN',
  429: 'RATE_LIMITED',
  502: 'SERVICE_UNAVAILABLE',
  503: 'SERVICE_UNAVAILABLE',
  504: 'SERVICE_UNAVAILABLE',
}

function requestIdOf(error: unknown): string | undefined {
  const id = extensionsOf(error)['requestId'] ?? (ServerError.is(error) && error.response.headers.get('x-request-id'))
  return typeof id === 'string' ? id : undefined
}

function extensionsOf(error: unknown): Record<string, unknown> {
  if (CombinedGraphQLErrors.is(error)) return error.errors[0]?.extensions ?? {}
  return ServerError.is(error) ? extensionsInBody(error.bodyText) : {}
}

function extensionsInBody(body: string): Record<string, unknown> {
  try {
    const parsed = JSON.parse(body) as { errors?: { extensions?: Record<string, unknown> }[] }
    return parsed.errors?.[0]?.extensions ?? {}
  } catch {
    return {}
  }
}
