import { eq, and, desc, gt, notInArray } from 'drizzle-orm'
import { sessions, users, userDevices } from '../../../database/tables/identityTables.ts'
import type { Context } from '../../context.ts'
import { Unauthenticated } from '../../refusals.ts'
import { hashSessionToken, newSessionToken } from '../authenticate/session.ts'
import { passwordMaxLength, deviceLifetimeSeconds, devicesPerUser } from '../limits.ts'
import { isEmail, normalizeEmail } from './emailAddress.ts'
import { nobodysHash, verifyPassword } from './passwordHash.ts'
import { countAttempt, forgiveAttempt } from './signInAttempts.ts'

interface SignIn {
  readonly email: string
  readonly password: string
  /** The client's network address. Null if unknown. */
  readonly address: string | null
  /** The token of the device cookie. Null if the request has none. */
  readonly device: string | null
}

interface Session {
  /** The value of the session cookie. Only its hash is stored. */
  readonly token: string
  /** The value of the device cookie. Only its hash is stored. */
  readonly device: string
  readonly userId: string
  readonly expiresAt: Date
}

/**
 * Opens a session that ends after `lifetimeSeconds`, regardless of its use. Rejects with the same `Unauthenticated`,
 * after the same time, for an unknown e-mail address and for a wrong password. Rejects with `RateLimited` while earlier
 * failures delay the sign-in.
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

/**
 * The hash of a device's token if the user of this e-mail address has signed in from the device before. Otherwise null.
 */
export async function findDevice(
  { database, now }: Pick<Context, 'database' | 'now'>,
  token: string | null,
  email: string,
): Promise<Buffer | null> {
  const tokenHash = token === null ? null : hashSessionToken(token)
  if (!tokenHash) return null
  const [device] = await database.lookUp((db) =>
    db
      .select({ tokenHash: userDevices.tokenHash })
      .from(userDevices)
      .innerJoin(users, eq(users.id, userDevices.userId))
      .where(and(eq(userDevices.tokenHash, tokenHash), eq(users.email, email), gt(userDevices.expiresAt, now()))),
  )
  return device?.tokenHash ?? null
}

/**
 * Remembers the device after a sign-in and returns the token for its cookie. A shared browser keeps one token for all
 * its users. Only a user's newest 20 devices are kept.
 */
async function rememberDevice(
  { database, now }: Pick<Context, 'database' | 'now'>,
  token: string | null,
  userId: string,
): Promise<string> {
  const expiresAt = new Date(now().getTime() + deviceLifetimeSeconds * 1000)
  return database.lookUp(async (db) => {
    const given = token === null ? null : hashSessionToken(token)
    const [known] = given
      ? await db
          .select({ hash: userDevices.tokenHash })
          .from(userDevices)
          .where(eq(userDevices.tokenHash, given))
          .limit(1)
      : []
    // A token that was not issued here could have been planted by somebody who knows it.
    const kept = known && token !== null ? token : newSessionToken()
    const tokenHash = hashSessionToken(kept)
    if (!tokenHash) throw new Error('A new device token has an unexpected form')
    await db
      .insert(userDevices)
      .values({ tokenHash, userId, expiresAt })
      .onConflictDoUpdate({ target: [userDevices.tokenHash, userDevices.userId], set: { expiresAt } })
    const newest = db
      .select({ hash: userDevices.tokenHash })
      .from(userDevices)
      .where(eq(userDevices.userId, userId))
      .orderBy(desc(userDevices.expiresAt), desc(userDevices.tokenHash))
      .limit(devicesPerUser)
    await db.delete(userDevices).where(and(eq(userDevices.userId, userId), notInArray(userDevices.tokenHash, newest)))
    return kept
  })
}

/** Ends a session. Succeeds if the session has ended or never existed. */
export async function signOut(services: Pick<Context, 'database'>, token: string): Promise<void> {
  const tokenHash = hashSessionToken(token)
  if (!tokenHash) return
  await services.database.lookUp((db) => db.delete(sessions).where(eq(sessions.tokenHash, tokenHash)))
}
