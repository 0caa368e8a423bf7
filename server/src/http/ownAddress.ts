import type { FastifyRequest } from 'fastify'
import { BadInput } from '../domain/refusals.ts'

/** A name, an IPv4 address or an IPv6 address in brackets, and a port. */
const hostPattern = /^(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/i

/**
 * The URL at which this request reached Filegraph, without a trailing slash: the public URL if one is set, otherwise
 * scheme and host of the request. Answers carry it back to the same client and to nobody else.
 *
 * Behind a trusted proxy, scheme and host are those that the proxy forwards. Throws `BadInput` for a host that cannot be
 * part of a URL (RFC 9112, section 3.2).
 */
export function addressOf(request: FastifyRequest, publicUrl: string | null): string {
  if (publicUrl !== null) return publicUrl
  // Only HTTP/1.0 clients may leave the host out.
  const host = request.host || localHostOf(request)
  const address = `${request.protocol}://${host}`
  if (!hostPattern.test(host) || !URL.canParse(address)) throw new BadInput('The Host header is not a host.')
  return new URL(address).origin
}

function localHostOf({ socket }: FastifyRequest): string {
  const address = (socket.localAddress ?? '127.0.0.1').replace(/^::ffff:/, '')
  return `${address.includes(':') ? `[${address}]` : address}:${socket.localPort ?? 80}`
}

/** Whether the client speaks TLS, to us or to the proxy before us. */
export const isOverTls = (request: FastifyRequest, publicUrl: string | null): boolean =>
  publicUrl === null ? request.protocol === 'https' : publicUrl.startsWith('https:')

/** The path of a public URL: empty, or `/files`. */
export const basePathOf = (publicUrl: string | null): string =>
  publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/$/, '')

/** Takes the path of the public URL off a request target. Proxies that strip it themselves leave nothing to take off. */
export function withoutBasePath(target: string, basePath: string): string {
  if (basePath === '' || !target.startsWith(basePath)) return target
  const rest = target.slice(basePath.length)
  if (rest === '' || rest.startsWith('?')) return `/${rest}`
  return rest.startsWith('/') ? rest : target
}
