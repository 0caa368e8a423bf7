import { randomUUID } from 'node:crypto'
import type { IncomingMessage } from 'node:http'

/** The id that the caller or a proxy gave, when it is harmless in a header and in a log line; a new one otherwise. */
export function requestIdOf(request: Pick<IncomingMessage, 'headers'>): string {
  const given = request.headers['x-request-id']
  return typeof given === 'string' && /^[A-Za-z0-9._-]{1,64}$/.test(given) ? given : randomUUID()
}
