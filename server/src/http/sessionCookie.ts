import type { FastifyReply, FastifyRequest } from 'fastify'
import { basePathOf, isOverTls } from './ownAddress.ts'

/** A cookie of ours, for a session or a device: out of reach for scripts, and never sent with a request from another site. */
export class SessionCookie {
  readonly #publicUrl: string | null
  readonly #path: string
  readonly #name: string

  constructor(publicUrl: string | null, name: 'session' | 'device' = 'session') {
    this.#publicUrl = publicUrl
    this.#name = `filegraph_${name}`
    // A host that serves other things under other paths does not get to see the cookie with every request for them.
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
   * RFC 6265bis, section 4.1.3: no plain connection can set a cookie whose name begins like this, and with `__Host-`, which
   * needs the path `/`, neither can another host.
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
