import { lte } from 'drizzle-orm'
import { sessions, signInAttempts } from '../../database/tables/identityTables.ts'
import type { Context } from '../context.ts'
import { signInWindowSeconds } from './limits.ts'

/** Removes sessions that have ended and sign-in attempts that no longer count. */
export async function forgetSessions({ database, now }: Pick<Context, 'database' | 'now'>): Promise<void> {
  const at = now()
  const windowStart = new Date(at.getTime() - signInWindowSeconds * 1000)
  await database.lookUp((db) => db.delete(sessions).where(lte(sessions.expiresAt, at)))
  await database.lookUp((db) => db.delete(signInAttempts).where(lte(signInAttempts.windowStartedAt, windowStart)))
}
