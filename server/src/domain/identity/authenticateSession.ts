import { and, asc, eq, gt } from 'drizzle-orm'
import type { PgRemoteDatabase } from 'drizzle-orm/pg-proxy'
import { memberships, sessions, tenantSlugs, users, userTenants } from '../../database/tables/identityTables.ts'
import type { Context, Principal } from '../context.ts'
import { Forbidden, Unauthenticated } from '../refusals.ts'
import { noSuchTenant } from './noSuchTenant.ts'
import { hashSessionToken } from './sessionToken.ts'

/**
 * The user of a session within one of their tenants: the one that is asked for, or the first by slug. Rejects with
 * `Unauthenticated`, or with `Forbidden` when the tenant is not one of theirs.
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
      .where(and(tx.mine(memberships), eq(memberships.userId, userId))),
  )
  if (!membership) throw new Forbidden(noSuchTenant)
  const { name, email } = session
  return { tenantId, id: userId, kind: 'USER', subject: userId, name, email, role: membership.role }
}

/** One statement, so that a tenant of others takes as long as one that does not exist. */
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
