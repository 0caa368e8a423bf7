import { and, asc, eq, ne, type SQL } from 'drizzle-orm'
import {
  apiKeys,
  memberships,
  principals,
  sessions,
  tenants,
  userDevices,
  users,
  userTenants,
} from '../../../database/tables/identityTables.ts'
import type { Transaction } from '../../../database/tenantDatabase.ts'
import { change, unchanged } from '../../change.ts'
import type { Context, Role } from '../../context.ts'
import { Conflict, NotFound } from '../../refusals.ts'
import { acceptEmail } from './emailAddress.ts'
import { acceptPassword, hashPassword } from './passwordHash.ts'

export interface Member {
  readonly userId: string
  readonly email: string | null
  readonly name: string
  readonly role: Role
  readonly joinedAt: Date
}

type Changing = Pick<Context, 'principal' | 'origin' | 'database' | 'now'>

/** The members of the caller's tenant, by name. */
export const listMembers = ({ database, principal }: Pick<Context, 'database' | 'principal'>): Promise<Member[]> =>
  database.readOnce(principal.tenantId, (tx) =>
    selectMembers(tx).orderBy(asc(principals.name), asc(memberships.userId)),
  )

/** Changes the role of a member. Rejects with `NotFound`, or with `Conflict` for the last OWNER. */
export async function changeRole(ctx: Changing, email: string, role: Role): Promise<Member> {
  const address = acceptEmail(email)
  return change(ctx, async (tx) => {
    const member = await lockMember(tx, address)
    if (member.role === role) return unchanged(member)
    if (member.role === 'OWNER') await refuseForLastOwner(tx, member)
    await tx.db
      .update(memberships)
      .set({ role })
      .where(and(tx.inTenant(memberships), eq(memberships.userId, member.userId)))
    const payload = { from: member.role, to: role }
    const record = { action: 'member.role_changed', id: member.userId, name: member.name, payload } as const
    return { answer: { ...member, role }, records: [record] }
  })
}

/**
 * Ends a membership and all sessions of the user, in every tenant. The files that they uploaded stay. The API keys that
 * they created also stay, because they belong to the tenant; the answer counts the active ones. Rejects with
 * `NotFound`, or with `Conflict` for the last OWNER.
 */
export async function removeMember(ctx: Changing, email: string): Promise<Member & { readonly activeKeys: number }> {
  const address = acceptEmail(email)
  return change(ctx, async (tx) => {
    const member = await lockMember(tx, address)
    const { userId, name, role } = member
    if (role === 'OWNER') await refuseForLastOwner(tx, member)
    await tx.db.delete(memberships).where(and(tx.inTenant(memberships), eq(memberships.userId, userId)))
    await tx.db.delete(userTenants).where(and(eq(userTenants.userId, userId), eq(userTenants.tenant, tx.tenantId)))
    await forgetEverywhere(tx, userId)
    const answer = { ...member, activeKeys: await countKeys(tx, userId, ctx.now()) }
    return { answer, records: [{ action: 'member.removed', id: userId, name, payload: { role } }] }
  })
}

/**
 * Replaces the password of a member and ends all their sessions. The password belongs to the account and applies in
 * every tenant. The audit log of the caller's tenant records the change. Rejects with `NotFound` or `Invalid`.
 */
export async function setPassword(ctx: Changing, email: string, password: string): Promise<Member> {
  const address = acceptEmail(email)
  acceptPassword(password)
  const passwordHash = await hashPassword(password)
  return change(ctx, async (tx) => {
    const member = await lockMember(tx, address)
    await tx.db.update(users).set({ passwordHash }).where(eq(users.id, member.userId))
    await forgetEverywhere(tx, member.userId)
    return { answer: member, records: [{ action: 'member.password_set', id: member.userId, name: member.name }] }
  })
}

/** Deletes all sessions and known devices of the user. */
async function forgetEverywhere(tx: Transaction, userId: string): Promise<void> {
  await tx.db.delete(sessions).where(eq(sessions.userId, userId))
  await tx.db.delete(userDevices).where(eq(userDevices.userId, userId))
}

const selectMembers = (tx: Transaction, where?: SQL) =>
  tx.db
    .select({
      userId: memberships.userId,
      email: principals.email,
      name: principals.name,
      role: memberships.role,
      joinedAt: memberships.createdAt,
    })
    .from(memberships)
    .innerJoin(principals, and(eq(principals.tenantId, memberships.tenantId), eq(principals.id, memberships.userId)))
    .where(and(tx.inTenant(memberships), where))

/** Finds the member by the account's e-mail address, because a principal keeps the address that it joined with. */
async function lockMember(tx: Transaction, email: string): Promise<Member> {
  const [user] = await tx.db.select({ id: users.id }).from(users).where(eq(users.email, email))
  if (!user) throw new NotFound('member')
  // Changes of members are serialized per tenant, so that two OWNERs cannot remove each other.
  await tx.db.select({ id: tenants.id }).from(tenants).where(eq(tenants.id, tx.tenantId)).for('no key update')
  const [member] = await selectMembers(tx, eq(memberships.userId, user.id))
  if (!member) throw new NotFound('member')
  return member
}

/** A tenant without an OWNER could not administer itself. */
async function refuseForLastOwner(tx: Transaction, member: Member): Promise<void> {
  const [other] = await tx.db
    .select({ userId: memberships.userId })
    .from(memberships)
    .where(and(tx.inTenant(memberships), eq(memberships.role, 'OWNER'), ne(memberships.userId, member.userId)))
    .limit(1)
  if (!other) throw new Conflict('LAST_OWNER', 'This is the last OWNER of the tenant. Make somebody else OWNER first.')
}

async function countKeys(tx: Transaction, createdBy: string, now: Date): Promise<number> {
  const keys = await tx.db
    .select({ expiresAt: apiKeys.expiresAt, revokedAt: apiKeys.revokedAt })
    .from(apiKeys)
    .where(and(tx.inTenant(apiKeys), eq(apiKeys.createdBy, createdBy)))
  return keys.filter(({ expiresAt, revokedAt }) => revokedAt === null && (expiresAt === null || expiresAt > now)).length
}
