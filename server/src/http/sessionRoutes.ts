import type { FastifyInstance } from 'fastify'
import type { Context } from '../domain/context.ts'
import { deviceLifetimeSeconds } from '../domain/identity/limits.ts'
import { signIn } from '../domain/identity/signIn.ts'
import { signOut } from '../domain/identity/signOut.ts'
import { BadInput } from '../domain/refusals.ts'
import { refuseForeignOrigin, refuseForgedRequest, type TrustedSites } from './crossSite.ts'
import type { SessionCookie } from './sessionCookie.ts'

export interface SessionRouteOptions {
  readonly services: Pick<Context, 'database' | 'now'> & { readonly lifetimeSeconds: number }
  readonly sites: TrustedSites
  readonly cookie: SessionCookie
  /** Outlives the session: it says that the browser is known to its users. */
  readonly deviceCookie: SessionCookie
}

const bodyLimit = 8 * 1024

/** Sign in and sign out: `POST /session` with `{ email, password }`, and `DELETE /session`; both answer 204. */
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
