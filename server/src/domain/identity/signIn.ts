import { eq } from 'drizzle-orm'
import { sessions, users } from '../../database/tables/identityTables.ts'
import type { Context } from '../context.ts'
import { Unauthenticated } from '../refusals.ts'
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
}

export interface Session {
  /** For the cookie; stored only as a hash. */
  readonly token: string
  readonly userId: string
  readonly expiresAt: Date
}

/**
 * Opens a session that ends after `lifetimeSeconds`, however much it is used. Rejects with the same `Unauthenticated`, after
 * the same time, for an unknown e-mail address and a wrong password; with `RateLimited` after too many of either.
 */
export async function signIn(
  services: Pick<Context, 'database' | 'now'> & { readonly lifetimeSeconds: number },
  asked: SignIn,
): Promise<Session> {
  const { database } = services
  const attempt = { email: normalizeEmail(asked.email), address: asked.address }
  await countAttempt(services, attempt)
  const [user] = isEmail(attempt.email)
    ? await database.lookUp((db) => db.select().from(users).where(eq(users.email, attempt.email)))
    : []
  const password = asked.password.length <= passwordMaxLength ? asked.password : ''
  const isRight = await verifyPassword(user?.passwordHash ?? nobodysHash, password)
  if (!user || !isRight) throw new Unauthenticated('The e-mail address or the password is wrong.')
  await forgiveAttempt(services, attempt)
  return openSession(services, user.id)
}

async function openSession(
  services: Pick<Context, 'database' | 'now'> & { readonly lifetimeSeconds: number },
  userId: string,
): Promise<Session> {
  const now = services.now()
  const expiresAt = new Date(now.getTime() + services.lifetimeSeconds * 1000)
  const token = newSessionToken()
  const tokenHash = hashSessionToken(token)
  if (!tokenHash) throw new Error('A new session token has an unexpected form')
  await services.database.lookUp((db) => db.insert(sessions).values({ tokenHash, userId, createdAt: now, expiresAt }))
  return { token, userId, expiresAt }
}
