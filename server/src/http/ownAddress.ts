import type { FastifyRequest } from 'fastify'
import { BadInput } from '../domain/refusals.ts'

/** A name, an IPv4 address or a bracketed IPv6 address, with an optional port. */
const hostPattern = /^(?:\[[0-9a-f:.]{2,45}\]|[a-z0-9._-]{1,253})(?::\d{1,5})?$/i

/**
 * The URL at which the request reached Filegraph, without a trailing slash. It is the public URL if one is set,
 * otherwise the scheme and host of the request. The response returns it only to the same client.
 *
 * Behind a trusted proxy, scheme and host are the forwarded ones. Throws `BadInput` for a host that cannot be part of a
 * URL (RFC 9112, section 3.2).
 */
export function addressOf(request: FastifyRequest, publicUrl: string | null): string {
  if (publicUrl !== null) return publicUrl
  // Only HTTP/1.0 clients may omit the host.
  const host = request.host || localHostOf(request)
  const address = `${request.protocol}://${host}`
  if (!hostPattern.test(host) || !URL.canParse(address)) throw new BadInput('The Host header is not a host.')
  return new URL(address).origin
}

function localHostOf({ socket }: FastifyRequest): string {
  const address = (socket.localAddress ?? '127.0.0.1').replace(/^::ffff:/, '')
  return `${address.includes(':') ? `[${address}]` : address}:${socket.localPort ?? 80}`
}

/** True if the client uses TLS to reach this server or its proxy. */
export const isOverTls = (request: FastifyRequest, publicUrl: string | null): boolean =>
  publicUrl === null ? request.protocol === 'https' : publicUrl.startsWith('https:')

/** The path of a public URL: empty, or `/files`. */
export const basePathOf = (publicUrl: string | null): string =>
  publicUrl === null ? '' : new URL(publicUrl).pathname.replace(/\/$/, '')

/** Removes the path of the public URL from a request target. A proxy may already have removed it. */
export function withoutBasePath(target: string, basePath: string): string {
  if (basePath === '' || !target.startsWith(basePath)) return target
  const rest = target.slice(basePath.length)
  if (rest === '' || rest.startsWith('?')) return `/${rest}`
  return rest.startsWith('/') ? rest : target
}
