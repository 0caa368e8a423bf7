import type { FastifyRequest } from 'fastify'
import { Forbidden } from '../domain/refusals.ts'

export interface TrustedSites {
  /** Null: Filegraph is reached by the host that each request names. */
  readonly publicUrl: string | null
  readonly allowedOrigins: readonly string[]
}

/** Headers that a page of another site cannot send without asking first (a CORS preflight). */
const askedFirst = ['x-filegraph-csrf', 'apollo-require-preflight', 'x-apollo-operation-name']

const fromElsewhere = () => new Forbidden('This request came from another site and was not carried out.')

/** Throws `Forbidden` if a page of another site sent this. A request without `origin` comes from no page, or from ours. */
export function refuseForeignOrigin(request: FastifyRequest, sites: TrustedSites): void {
  const { origin } = request.headers
  if (origin === undefined || sites.allowedOrigins.includes(origin)) return
  if (!URL.canParse(origin) || !isOwnOrigin(new URL(origin), request.host, sites.publicUrl)) throw fromElsewhere()
}

/**
 * Our own pages come from the public URL, or from the host that the request names. The scheme is not compared with that
 * of the request, because a TLS proxy need not tell it; if the public URL has that host, the scheme must be its scheme.
 */
function isOwnOrigin(origin: URL, host: string, publicUrl: string | null): boolean {
  const own = publicUrl === null ? null : new URL(publicUrl)
  if (origin.origin === own?.origin) return true
  const asked = `${origin.protocol}//${host}`
  return URL.canParse(asked) && new URL(asked).host === origin.host && origin.hostname !== own?.hostname
}

/** Also refuses a request that a form or an image could have sent, whatever its origin: browsers attach cookies to it. */
export function refuseForgedRequest(request: FastifyRequest, sites: TrustedSites): void {
  refuseForeignOrigin(request, sites)
  const isJson = /^application\/(json|graphql-response\+json)\s*(;|$)/i.test(request.headers['content-type'] ?? '')
  if (!isJson && !askedFirst.some((name) => request.headers[name])) throw fromElsewhere()
}
