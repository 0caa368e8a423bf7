import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import helmet from 'helmet'
import { isOverTls } from './ownAddress.ts'

export interface HeaderOptions {
  readonly publicUrl: string | null
  /** Where browsers send and fetch bytes, other than at the address of the page: scheme and host each. */
  readonly bucketOrigins: readonly string[]
}

type Policy = Record<string, string>

/** Sets headers on an answer that has not begun. */
export type SetHeaders = (request: IncomingMessage, response: ServerResponse) => void

/** Scripts and styles from our own files only. Bytes go to and come from the bucket. */
const consolePolicy = (bucketOrigins: readonly string[]): Policy => {
  const bucket = bucketOrigins.map((origin) => ` ${origin}`).join('')
  return {
    'default-src': "'none'",
    'script-src': "'self'",
    'style-src': "'self'",
    'font-src': "'self'",
    'img-src': `'self' data: blob:${bucket}`,
    'media-src': `'self' blob:${bucket}`,
    'connect-src': `'self'${bucket}`,
    // Downloads begin in a hidden frame, so that an error of the bucket does not replace the page.
    'frame-src': `'self'${bucket}`,
    'manifest-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'self'",
    'frame-ancestors': "'none'",
  }
}

/** GraphiQL's editor writes its own styles, and runs its language workers from blobs. */
export function graphiqlPolicy(bucketOrigins: readonly string[]): SetHeaders {
  const directives = {
    ...consolePolicy(bucketOrigins),
    'style-src': "'self' 'unsafe-inline'",
    'worker-src': "'self' blob:",
    'font-src': "'self' data:",
  }
  const set = helmet.contentSecurityPolicy({ useDefaults: false, directives })
  return (request, response) => set(request, response, rethrow)
}

function rethrow(error?: unknown): void {
  if (error !== undefined) throw new Error('The security headers could not be set', { cause: error })
}

/**
 * The headers of everything that the local bucket sends. Its bytes are of users and share the origin of the console, so
 * a page made of them gets an origin of its own that runs nothing and loads nothing (`sandbox`), and no browser guesses
 * another type than the one that is sent.
 *
 * Any page may embed an object: everybody who knows a signed URL can read it anyway, and cookies are ignored.
 */
export const bucketHeaders: Readonly<Record<string, string>> = {
  // The other directives let a browser show an image, a video or a text that is opened on its own.
  'content-security-policy': "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'cross-origin',
  'referrer-policy': 'no-referrer',
}

/**
 * The headers of every other answer: Helmet's, where they concern browsers of today. Its middleware is made once and
 * called for each request, also for one whose address cannot be decoded, which no hook of Fastify sees.
 */
export function securityHeaders({ publicUrl, bucketOrigins }: HeaderOptions): SetHeaders {
  const set = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: consolePolicy(bucketOrigins) },
    // Signed addresses must not leave in a Referer.
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    // Depends on the request: see `sendSecurityHeaders`.
    crossOriginOpenerPolicy: false,
    strictTransportSecurity: isHostOurs(publicUrl) ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    // For browsers that do not know `frame-ancestors`.
    xFrameOptions: { action: 'deny' },
    // The local bucket shares the origin and does not send it; browsers want it on all pages of an origin or on none.
    originAgentCluster: false,
    // For Internet Explorer and Flash.
    xDownloadOptions: false,
    xPermittedCrossDomainPolicies: false,
    xXssProtection: false,
    xDnsPrefetchControl: false,
  })
  return (request, response) => {
    set(request, response, rethrow)
    response.setHeader('permissions-policy', 'camera=(), geolocation=(), microphone=(), payment=(), usb=()')
  }
}

/**
 * HSTS (RFC 6797) holds for all ports and paths of a host. It is sent only if the public URL says that the host serves
 * Filegraph on the standard port and nothing else.
 */
const isHostOurs = (publicUrl: string | null): boolean =>
  publicUrl !== null && /^https:\/\/(?!localhost$)[^/:]+$/.test(publicUrl)

export function sendSecurityHeaders(app: FastifyInstance, setHeaders: SetHeaders, publicUrl: string | null): void {
  app.addHook('onRequest', async (request, reply) => {
    setHeaders(request.raw, reply.raw)
    reply.header('x-request-id', request.id)
    // Elsewhere browsers ignore it, and say so on every page.
    if (isTrustworthy(request, publicUrl)) reply.header('cross-origin-opener-policy', 'same-origin')
  })
}

/** What browsers call a potentially trustworthy origin: over TLS, or on this machine. */
const isTrustworthy = (request: FastifyRequest, publicUrl: string | null): boolean =>
  isOverTls(request, publicUrl) ||
  /^(localhost|127(\.\d+){3}|\[::1\])(:|$)/.test(publicUrl === null ? request.host : new URL(publicUrl).host)
