import type { IncomingMessage, ServerResponse } from 'node:http'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import helmet from 'helmet'
import { isOverTls } from './ownAddress.ts'

export interface HeaderOptions {
  readonly publicUrl: string | null
  /** Origins other than that of the page to which browsers send and from which they fetch bytes. */
  readonly bucketOrigins: readonly string[]
}

type Policy = Record<string, string>

/** Sets headers on a response that has not started. */
export type SetHeaders = (request: IncomingMessage, response: ServerResponse) => void

/** Allows scripts and styles only from this origin. Bytes come from and go to the bucket. */
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
    // Downloads start in a hidden frame, so that an error of the bucket does not replace the page.
    'frame-src': `'self'${bucket}`,
    'manifest-src': "'self'",
    'base-uri': "'none'",
    'form-action': "'self'",
    'frame-ancestors': "'none'",
  }
}

/** GraphiQL's editor creates inline styles and starts its language workers from blobs. */
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
 * Headers of every response of the local bucket. Its bytes come from users and share the origin of the console.
 * `sandbox` gives a page made of them an opaque origin that runs and loads nothing, and browsers do not sniff its type.
 *
 * Any page can embed an object: everybody who has a signed URL can read it anyway, and cookies are ignored.
 */
export const bucketHeaders: Readonly<Record<string, string>> = {
  // The other directives let a browser show an image, a video or a text that is opened directly.
  'content-security-policy': "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'",
  'x-content-type-options': 'nosniff',
  'cross-origin-resource-policy': 'cross-origin',
  'referrer-policy': 'no-referrer',
}

/**
 * Headers of every other response: those of Helmet that current browsers use. The middleware is created once and called
 * for each request, including a URL that cannot be decoded, which reaches no Fastify hook.
 */
export function securityHeaders({ publicUrl, bucketOrigins }: HeaderOptions): SetHeaders {
  const set = helmet({
    contentSecurityPolicy: { useDefaults: false, directives: consolePolicy(bucketOrigins) },
    // Signed URLs must not leak in a Referer header.
    referrerPolicy: { policy: 'no-referrer' },
    crossOriginResourcePolicy: { policy: 'same-origin' },
    // Depends on the request: see `sendSecurityHeaders`.
    crossOriginOpenerPolicy: false,
    strictTransportSecurity: isHostOurs(publicUrl) ? { maxAge: 31_536_000, includeSubDomains: false } : false,
    // For browsers that do not support `frame-ancestors`.
    xFrameOptions: { action: 'deny' },
    // The local bucket shares the origin and does not send it. Browsers expect it on all pages of an origin or on
    // none.
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
 * True if the public URL says that the host serves only Filegraph, on the standard port. HSTS (RFC 6797) applies to all
 * ports and paths of a host, so it is sent only then.
 */
const isHostOurs = (publicUrl: string | null): boolean =>
  publicUrl !== null && /^https:\/\/(?!localhost$)[^/:]+$/.test(publicUrl)

export function sendSecurityHeaders(app: FastifyInstance, setHeaders: SetHeaders, publicUrl: string | null): void {
  app.addHook('onRequest', async (request, reply) => {
    setHeaders(request.raw, reply.raw)
    reply.header('x-request-id', request.id)
    // Without a trustworthy origin, browsers ignore the header and log a warning on every page.
    if (isTrustworthy(request, publicUrl)) reply.header('cross-origin-opener-policy', 'same-origin')
  })
}

/** True for a potentially trustworthy origin (W3C Secure Contexts): TLS, or this machine. */
const isTrustworthy = (request: FastifyRequest, publicUrl: string | null): boolean =>
  isOverTls(request, publicUrl) ||
  /^(localhost|127(\.\d+){3}|\[::1\])(:|$)/.test(publicUrl === null ? request.host : new URL(publicUrl).host)
