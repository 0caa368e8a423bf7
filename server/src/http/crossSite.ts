import type { FastifyRequest } from 'fastify'
import { Forbidden } from '../domain/refusals.ts'

export interface TrustedSites {
  /** Null if clients use the host that each of their requests names. */
  readonly publicUrl: string | null
  readonly allowedOrigins: readonly string[]
}

/** Headers that a page of another site cannot send without a CORS preflight. */
const askedFirst = ['x-filegraph-csrf', 'apollo-require-preflight', 'x-apollo-operation-name']

const fromElsewhere = () => new Forbidden('This request came from another site and was not carried out.')

/**
 * Throws `Forbidden` if a page of another site sent the request. A request without `origin` comes from the console or
 * from a program.
 */
export function refuseForeignOrigin(request: FastifyRequest, sites: TrustedSites): void {
  const { origin } = request.headers
  if (origin === undefined || sites.allowedOrigins.includes(origin)) return
  if (!URL.canParse(origin) || !isOwnOrigin(new URL(origin), request.host, sites.publicUrl)) throw fromElsewhere()
}

/**
 * True for the origin of the public URL or of the host in the request. The scheme is not compared with that of the
 * request, because a TLS proxy may not forward it. If the public URL has the same host, its scheme must match.
 */
function isOwnOrigin(origin: URL, host: string, publicUrl: string | null): boolean {
  const own = publicUrl === null ? null : new URL(publicUrl)
  if (origin.origin === own?.origin) return true
  const asked = `${origin.protocol}//${host}`
  return URL.canParse(asked) && new URL(asked).host === origin.host && origin.hostname !== own?.hostname
}

/** Also refuses a request that a form or an image could have sent, because browsers attach cookies to it. */
export function refuseForgedRequest(request: FastifyRequest, sites: TrustedSites): void {
  refuseForeignOrigin(request, sites)
  const isJson = /^application\/(json|graphql-response\+json)\s*(;|$)/i.test(request.headers['content-type'] ?? '')
  if (!isJson && !askedFirst.some((name) => request.headers[name])) throw fromElsewhere()
}
