import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Context } from '../domain/context.ts'
import { deviceLifetimeSeconds } from '../domain/identity/limits.ts'
import { signIn, signOut } from '../domain/identity/people/signIn.ts'
import { BadInput } from '../domain/refusals.ts'
import { refuseForeignOrigin, refuseForgedRequest, type TrustedSites } from './crossSite.ts'
import { basePathOf, isOverTls } from './ownAddress.ts'

interface SessionRouteOptions {
  readonly services: Pick<Context, 'database' | 'now'> & { readonly lifetimeSeconds: number }
  readonly sites: TrustedSites
  readonly cookie: SessionCookie
  /** Outlives the session. It identifies a browser that a user has signed in with before. */
  readonly deviceCookie: SessionCookie
}

const bodyLimit = 8 * 1024

/** Adds `POST /session` with `{ email, password }` to sign in, and `DELETE /session` to sign out. Both answer 204. */
export function addSessionRoutes(
  app: FastifyInstance,
  { services, sites, cookie, deviceCookie }: SessionRouteOptions,
): void {
  app.post('/session', { bodyLimit }, async (request, reply) => {
    refuseForgedRequest(request, sites)
    const device = deviceCookie.read(request)
    const session = await signIn(services, { ...credentialsIn(request.body), address: request.ip, device })
    const before = cookie.read(request)
    if (before !== null) await signOut(services, before)
    cookie.write(request, reply, session.token, services.lifetimeSeconds)
    deviceCookie.write(request, reply, session.device, deviceLifetimeSeconds)
    return reply.code(204).header('cache-control', 'no-store').send()
  })

  app.delete('/session', { bodyLimit }, async (request, reply) => {
    refuseForeignOrigin(request, sites)
    const token = cookie.read(request)
    if (token !== null) await signOut(services, token)
    cookie.clear(request, reply)
    return reply.code(204).header('cache-control', 'no-store').send()
  })
}

function credentialsIn(body: unknown): { email: string; password: string } {
  const { email, password } = (typeof body === 'object' && body !== null ? body : {}) as Record<string, unknown>
  if (typeof email !== 'string' || typeof password !== 'string') {
    throw new BadInput('Please send an e-mail address and a password.')
  }
  return { email, password }
}

/**
 * A cookie for a session or a device. Scripts cannot read it, and browsers never send it with a request from another
 * site.
 */
export class SessionCookie {
  readonly #publicUrl: string | null
  readonly #path: string
  readonly #name: string

  constructor(publicUrl: string | null, name: 'session' | 'device' = 'session') {
    this.#publicUrl = publicUrl
    this.#name = `filegraph_${name}`
    // Other applications under other paths of the host do not receive the cookie.
    this.#path = basePathOf(publicUrl) || '/'
  }

  read(request: FastifyRequest): string | null {
    return request.cookies[this.#nameFor(request)] ?? null
  }

  write(request: FastifyRequest, reply: FastifyReply, token: string, lifetimeSeconds: number): void {
    reply.setCookie(this.#nameFor(request), token, { ...this.#attributesFor(request), maxAge: lifetimeSeconds })
  }

  clear(request: FastifyRequest, reply: FastifyReply): void {
    reply.setCookie(this.#nameFor(request), '', { ...this.#attributesFor(request), maxAge: 0 })
  }

  /**
   * RFC 6265bis, section 4.1.3: a plain connection cannot set a cookie with this prefix. With `__Host-`, which requires
   * the path `/`, another host cannot set it either.
   */
  #nameFor(request: FastifyRequest): string {
    if (!isOverTls(request, this.#publicUrl)) return this.#name
    return `${this.#path === '/' ? '__Host-' : '__Secure-'}${this.#name}`
  }

  #attributesFor(request: FastifyRequest) {
    const secure = isOverTls(request, this.#publicUrl)
    return { path: this.#path, httpOnly: true, sameSite: 'strict', secure } as const
  }
}
