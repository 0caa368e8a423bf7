import { eq } from 'drizzle-orm'
import { sessions, users } from '../../database/tables/identityTables.ts'
import type { Context } from '../context.ts'
import { Unauthenticated } from '../refusals.ts'
import { findDevice, rememberDevice } from './devices.ts'
import { isEmail, normalizeEmail } from './emailAddress.ts'
import { passwordMaxLength } from './limits.ts'
import { nobodysHash, verifyPassword } from './passwordHash.ts'
import { hashSessionToken, newSessionToken } from './sessionToken.ts'
import { countAttempt, forgiveAttempt } from './signInAttempts.ts'

export interface SignIn {
  readonly email: string
  readonly password: string
  /** The client's network address; null when it is not known. */
  readonly address: string | null
  /** The token in the cookie of the device; null when it sends none. */
  readonly device: string | null
}

export interface Session {
  /** For the cookie; stored only as a hash. */
  readonly token: string
  /** For the cookie of the device; stored only as a hash. */
  readonly device: string
  readonly userId: string
  readonly expiresAt: Date
}

/**
 * Opens a session that ends after `lifetimeSeconds`, however much it is used. Rejects with the same `Unauthenticated`, after
 * the same time, for an unknown e-mail address and a wrong password; with `RateLimited` before the delay of earlier failures
 * is over.
 */
export async function signIn(
  services: Pick<Context, 'database' | 'now'> & { readonly lifetimeSeconds: number },
  asked: SignIn,
): Promise<Session> {
  const { database } = services
  const email = normalizeEmail(asked.email)
  const device = await findDevice(services, asked.device, email)
  const attempt = { email, address: asked.address, device }
  await countAttempt(services, attempt)
  const [user] = isEmail(attempt.email)
    ? await database.lookUp((db) => db.select().from(users).where(eq(users.email, attempt.email)))
    : []
  const password = asked.password.length <= passwordMaxLength ? asked.password : ''
  const isRight = await verifyPassword(user?.passwordHash ?? nobodysHash, password, device !== null)
  if (!user || !isRight) throw new Unauthenticated('The e-mail address or the password is wrong.')
  await forgiveAttempt(services, attempt)
  const session = await openSession(services, user.id)
  return { ...session, device: await rememberDevice(services, asked.device, user.id) }
}

async function openSession(
  services: Pick<Context, 'database' | 'now'> & { readonly lifetimeSeconds: number },
  userId: string,
): Promise<Omit<Session, 'device'>> {
  const now = services.now()
  const expiresAt = new Date(now.getTime() + services.lifetimeSeconds * 1000)
  const token = newSessionToken()
  const tokenHash = hashSessionToken(token)
  if (!tokenHash) throw new Error('A new session token has an unexpected form')
  await services.database.lookUp((db) => db.insert(sessions).values({ tokenHash, userId, createdAt: now, expiresAt }))
  return { token, userId, expiresAt }
}
