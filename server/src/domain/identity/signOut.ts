import { eq } from 'drizzle-orm'
import { sessions } from '../../database/tables/identityTables.ts'
import type { Context } from '../context.ts'
import { hashSessionToken } from './sessionToken.ts'

/** Ends a session; one that has ended already, or never was, is fine too. */
export async function signOut(services: Pick<Context, 'database'>, token: string): Promise<void> {
  const tokenHash = hashSessionToken(token)
  if (!tokenHash) return
  await services.database.lookUp((db) => db.delete(sessions).where(eq(sessions.tokenHash, tokenHash)))
}
