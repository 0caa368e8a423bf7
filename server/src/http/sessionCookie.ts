import type { FastifyReply, FastifyRequest } from 'fastify'

/** A cookie of ours, for a session or a device: out of reach for scripts, and never sent with a request from another site. */
export class SessionCookie {
  readonly #isSecure: boolean
  readonly #name: string

  constructor(publicUrl: string, name: 'session' | 'device' = 'session') {
    this.#isSecure = publicUrl.startsWith('https:')
    // RFC 6265bis, section 4.1.3.2: no other host and no plain connection can set a cookie of this name.
    this.#name = `${this.#isSecure ? '__Host-' : ''}filegraph_${name}`
  }

  read(request: FastifyRequest): string | null {
    return request.cookies[this.#name] ?? null
  }

  write(reply: FastifyReply, token: string, lifetimeSeconds: number): void {
    reply.setCookie(this.#name, token, { ...this.#attributes(), maxAge: lifetimeSeconds })
  }

  clear(reply: FastifyReply): void {
    reply.setCookie(this.#name, '', { ...this.#attributes(), maxAge: 0 })
  }

  #attributes() {
    return { path: '/', httpOnly: true, sameSite: 'strict', secure: this.#isSecure } as const
  }
}
