import { createHash, randomBytes } from 'node:crypto'
import { and, asc, eq, gt, lte } from 'drizzle-orm'
import type { PgRemoteDatabase } from 'drizzle-orm/pg-proxy'
import {
  memberships,
  sessions,
  tenantSlugs,
  users,
  userTenants,
  signInAttempts,
  userDevices,
} from '../../../database/tables/identityTables.ts'
import type { Context, Principal } from '../../context.ts'
import { Forbidden, Unauthenticated } from '../../refusals.ts'
import { signInDelays } from '../limits.ts'
import { noSuchTenant } from '../roles.ts'

/** A token of 256 random bits, in the form of the cookie. */
export const newSessionToken = (): string => randomBytes(32).toString('base64url')

/** The stored hash of a token. Null if the text cannot be a token. */
export const hashSessionToken = (token: string): Buffer | null =>
  /^[A-Za-z0-9_-]{43}$/.test(token) ? createHash('sha256').update(token).digest() : null

/**
 * The user of a session in one of their tenants: the requested one, or the first by slug. Rejects with
 * `Unauthenticated`, or with `Forbidden` if the user is not a member of the tenant.
 */
export async function authenticateSession(
  services: Pick<Context, 'database' | 'now'>,
  token: string,
  tenantSlug: string | null,
): Promise<Principal> {
  const hash = hashSessionToken(token)
  if (!hash) throw new Unauthenticated()
  const { database } = services
  const [session] = await database.lookUp((db) => findSession(db, hash, services.now(), tenantSlug))
  if (!session) throw new Unauthenticated()
  const { tenantId, userId } = session
  if (tenantId === null || session.slug === null) throw new Forbidden(noSuchTenant)
  const [membership] = await database.readOnce(tenantId, (tx) =>
    tx.db
      .select({ role: memberships.role })
      .from(memberships)
      .where(and(tx.inTenant(memberships), eq(memberships.userId, userId))),
  )
  if (!membership) throw new Forbidden(noSuchTenant)
  const { name, email } = session
  return { tenantId, id: userId, kind: 'USER', subject: userId, name, email, role: membership.role }
}

/** One statement, so that a foreign tenant takes as long as one that does not exist. */
const findSession = (db: PgRemoteDatabase, tokenHash: Buffer, now: Date, tenantSlug: string | null) =>
  db
    .select({
      userId: users.id,
      name: users.name,
      email: users.email,
      tenantId: userTenants.tenant,
      slug: tenantSlugs.slug,
    })
    .from(sessions)
    .innerJoin(users, eq(users.id, sessions.userId))
    .leftJoin(userTenants, eq(userTenants.userId, users.id))
    .leftJoin(
      tenantSlugs,
      and(
        eq(tenantSlugs.tenant, userTenants.tenant),
        tenantSlug === null ? undefined : eq(tenantSlugs.slug, tenantSlug),
      ),
    )
    .where(and(eq(sessions.tokenHash, tokenHash), gt(sessions.expiresAt, now)))
    .orderBy(asc(tenantSlugs.slug))
    .limit(1)

/** Deletes expired sessions and devices, and failed sign-ins that no longer count. */
export async function forgetSessions({ database, now }: Pick<Context, 'database' | 'now'>): Promise<void> {
  const at = now()
  const longest = Math.max(...Object.values(signInDelays).map(({ forgottenSeconds }) => forgottenSeconds))
  const forgotten = new Date(at.getTime() - longest * 1000)
  await database.lookUp((db) => db.delete(sessions).where(lte(sessions.expiresAt, at)))
  await database.lookUp((db) => db.delete(userDevices).where(lte(userDevices.expiresAt, at)))
  await database.lookUp((db) => db.delete(signInAttempts).where(lte(signInAttempts.lastAttemptAt, forgotten)))
}
