import type { FastifyInstance } from 'fastify'

export interface HeaderOptions {
  readonly publicUrl: string
  /** Where browsers send and fetch bytes: scheme and host. */
  readonly bucketOrigin: string
}

type Policy = Record<string, string>

/** Scripts and styles from our own files alone; bytes go to and come from the bucket. */
const consolePolicy = (bucketOrigin: string): Policy => ({
  'default-src': "'none'",
  'script-src': "'self'",
  'style-src': "'self'",
  'font-src': "'self'",
  'img-src': `'self' data: blob: ${bucketOrigin}`,
  'media-src': `'self' blob: ${bucketOrigin}`,
  'connect-src': `'self' ${bucketOrigin}`,
  'manifest-src': "'self'",
  'base-uri': "'none'",
  'form-action': "'self'",
  'frame-ancestors': "'none'",
})

/** GraphiQL's editor writes its own styles, and runs its language workers from blobs. */
export const graphiqlPolicy = (bucketOrigin: string): string =>
  textOf({
    ...consolePolicy(bucketOrigin),
    'style-src': "'self' 'unsafe-inline'",
    'worker-src': "'self' blob:",
    'font-src': "'self' data:",
  })

const textOf = (policy: Policy) =>
  Object.entries(policy)
    .map(([directive, sources]) => `${directive} ${sources}`)
    .join('; ')

/** The headers that every answer carries, whoever gives it. */
export function securityHeaders({ publicUrl, bucketOrigin }: HeaderOptions): Readonly<Record<string, string>> {
  return {
    'content-security-policy': textOf(consolePolicy(bucketOrigin)),
    'x-content-type-options': 'nosniff',
    // Signed addresses must not leave in a Referer.
    'referrer-policy': 'no-referrer',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    ...(publicUrl.startsWith('https:') && { 'strict-transport-security': 'max-age=31536000' }),
  }
}

export function sendSecurityHeaders(app: FastifyInstance, options: HeaderOptions): void {
  const headers = securityHeaders(options)
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers).header('x-request-id', request.id)
  })
}
