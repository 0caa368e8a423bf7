import { and, desc, eq, gt, notInArray } from 'drizzle-orm'
import { userDevices, users } from '../../database/tables/identityTables.ts'
import type { Context } from '../context.ts'
import { deviceLifetimeSeconds, devicesPerUser } from './limits.ts'
import { hashSessionToken, newSessionToken } from './sessionToken.ts'

/** The hash of a device's token, if the user of this e-mail address signed in from the device before; else null. */
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
 * Remembers a device after a sign-in and answers with the token for its cookie. A browser that several people use keeps one
 * token for all of them. A user's devices beyond the newest 20 are forgotten.
 */
export async function rememberDevice(
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
    // A token that was never given out here may have been planted by somebody who knows it.
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
