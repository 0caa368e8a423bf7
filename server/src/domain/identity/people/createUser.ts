import { eq } from 'drizzle-orm'
import { memberships, principals, users, userTenants } from '../../../database/tables/identityTables.ts'
import type { Transaction, TenantDatabase } from '../../../database/tenantDatabase.ts'
import { change } from '../../change.ts'
import { type Context, type Role, systemPrincipal } from '../../context.ts'
import { newId } from '../../ids.ts'
import { Conflict, Forbidden, Invalid } from '../../refusals.ts'
import { findTenantBySlug } from '../../tenants/findTenant.ts'
import { acceptName } from '../../text.ts'
import { personNameMaxLength } from '../limits.ts'
import { isAtLeast } from '../roles.ts'
import { acceptEmail, normalizeEmail } from './emailAddress.ts'
import { acceptPassword, hashPassword } from './passwordHash.ts'

interface NewMember {
  readonly email: string
  readonly name: string
  readonly password: string
  readonly role: Role
}

type Adding = Pick<Context, 'principal' | 'origin' | 'database' | 'now'>

/**
 * Adds a member to the caller's tenant. Creates a user if the e-mail address is new. An existing user keeps name and
 * password. Rejects with `Invalid`, with `Conflict` for a member, or with `Forbidden` for a role above the caller's
 * own.
 */
export async function addMember(ctx: Adding, wanted: NewMember): Promise<{ userId: string; isNewUser: boolean }> {
  const email = acceptEmail(wanted.email)
  const name = acceptName('name', wanted.name, personNameMaxLength)
  if (!isAtLeast(ctx.principal.role, wanted.role)) throw new Forbidden('You cannot give a role above your own.')
  acceptPassword(wanted.password)
  // Hashed before the transaction, so that no lock waits for it.
  const passwordHash = await hashPassword(wanted.password)
  const createdAt = ctx.now()
  const newUser = { id: newId(createdAt), email, name, passwordHash, createdAt }
  return change(ctx, async (tx) => {
    await tx.db.insert(users).values(newUser).onConflictDoNothing({ target: users.email })
    const [user] = await tx.db.select().from(users).where(eq(users.email, email))
    if (!user) throw new Error('A user vanished between two statements')
    await insertMembership(tx, user, wanted.role, createdAt)
    return {
      answer: { userId: user.id, isNewUser: user.id === newUser.id },
      records: [{ action: 'member.added', id: user.id, name: user.name, payload: { role: wanted.role } }],
    }
  })
}

async function insertMembership(
  tx: Transaction,
  user: { readonly id: string; readonly name: string; readonly email: string },
  role: Role,
  createdAt: Date,
): Promise<void> {
  const { tenantId } = tx
  const { id, name, email } = user
  await tx.db
    .insert(principals)
    .values({ tenantId, id, kind: 'USER', subject: id, name, email, createdAt })
    .onConflictDoNothing()
  const added = await tx.db
    .insert(memberships)
    .values({ tenantId, userId: id, role, createdAt })
    .onConflictDoNothing()
    .returning({ userId: memberships.userId })
  if (added.length === 0) throw new Conflict('ALREADY_MEMBER', 'This person is a member already.')
  await tx.db.insert(userTenants).values({ userId: id, tenant: tenantId }).onConflictDoNothing()
}

/** As `addMember`, for the operator of the installation and any tenant. */
export async function createUser(
  services: Pick<Context, 'database' | 'now'>,
  wanted: NewMember & { readonly tenantSlug: string },
): Promise<{ userId: string; isNewUser: boolean }> {
  const tenant = await findTenantBySlug(services.database, wanted.tenantSlug)
  if (!tenant) throw new Invalid('tenantSlug', 'There is no such tenant.')
  const origin = { requestId: null, address: null, userAgent: null }
  const { database, now } = services
  return addMember({ principal: systemPrincipal(tenant.id), origin, database, now }, wanted)
}

interface User {
  readonly id: string
  readonly email: string
  readonly name: string
}

/** Null if no user has the address. */
export async function findUser(database: TenantDatabase, email: string): Promise<User | null> {
  const [user] = await database.lookUp((db) =>
    db
      .select({ id: users.id, email: users.email, name: users.name })
      .from(users)
      .where(eq(users.email, normalizeEmail(email))),
  )
  return user ?? null
}
