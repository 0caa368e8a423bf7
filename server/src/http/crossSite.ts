import type { FastifyRequest } from 'fastify'
import { Forbidden } from '../domain/refusals.ts'

export interface TrustedSites {
  readonly publicUrl: string
  readonly allowedOrigins: readonly string[]
}

/** Headers that a page of another site cannot send without asking first (a CORS preflight). */
const askedFirst = ['x-filegraph-csrf', 'apollo-require-preflight', 'x-apollo-operation-name']

const fromElsewhere = () => new Forbidden('This request came from another site and was not carried out.')

/** Rejects with `Forbidden` when a page of another site sent this. Requests without `origin` come from no page, or ours. */
export function refuseForeignOrigin(request: FastifyRequest, sites: TrustedSites): void {
  const { origin } = request.headers
  if (origin === undefined || sites.allowedOrigins.includes(origin)) return
  if (!URL.canParse(origin)) throw fromElsewhere()
  const isOurs = origin === new URL(sites.publicUrl).origin || new URL(origin).host === request.host
  if (!isOurs) throw fromElsewhere()
}

/** The same, and for a request that a form or an image could have sent, whatever its origin. Browsers attach cookies. */
export function refuseForgedRequest(request: FastifyRequest, sites: TrustedSites): void {
  refuseForeignOrigin(request, sites)
  const isJson = /^application\/(json|graphql-response\+json)\s*(;|$)/i.test(request.headers['content-type'] ?? '')
  if (!isJson && !askedFirst.some((name) => request.headers[name])) throw fromElsewhere()
}
