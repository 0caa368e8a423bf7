import { lte } from 'drizzle-orm'
import { sessions, signInAttempts, userDevices } from '../../database/tables/identityTables.ts'
import type { Context } from '../context.ts'
import { signInDelays } from './limits.ts'

/** Removes sessions and devices that have ended, and failed sign-ins that no longer count. */
export async function forgetSessions({ database, now }: Pick<Context, 'database' | 'now'>): Promise<void> {
  const at = now()
  const longest = Math.max(...Object.values(signInDelays).map(({ forgottenSeconds }) => forgottenSeconds))
  const forgotten = new Date(at.getTime() - longest * 1000)
  await database.lookUp((db) => db.delete(sessions).where(lte(sessions.expiresAt, at)))
  await database.lookUp((db) => db.delete(userDevices).where(lte(userDevices.expiresAt, at)))
  await database.lookUp((db) => db.delete(signInAttempts).where(lte(signInAttempts.lastAttemptAt, forgotten)))
}
