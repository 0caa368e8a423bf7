import { sql } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestIdentity, type TestIdentity, testPassword } from '../../../../test/testIdentity.ts'
import { auditLog } from '../../../database/tables/journalTables.ts'
import { reading, type Role } from '../../context.ts'
import { Conflict, Forbidden, Invalid, NotFound, Unauthenticated } from '../../refusals.ts'
import { createTenant, type Tenant } from '../../tenants/createTenant.ts'
import { authenticateSession } from '../authenticate/session.ts'
import { createApiKey } from '../keys/apiKeys.ts'
import { changeRole, listMembers, removeMember, setPassword } from './changeMembers.ts'
import { signIn } from './signIn.ts'

let identity: TestIdentity
let made = 0
beforeAll(async () => {
  identity = await createTestIdentity()
})
afterAll(() => identity.close())

/** A tenant of its own with an OWNER and one more member. */
async function makeTeam(role: Role = 'MEMBER') {
  const tenant = await createTenant(identity, { slug: `team-${(made += 1)}`, name: 'Team' })
  const [boss, member] = [`boss${made}@example.com`, `member${made}@example.com`]
  await identity.addUser(boss, tenant, 'OWNER')
  const memberId = await identity.addUser(member, tenant, role)
  return { tenant, boss, member, memberId, ctx: identity.as('OWNER', tenant) }
}

const openSession = async (email: string, password = testPassword) =>
  (await signIn({ ...identity, lifetimeSeconds: 3600 }, { email, password, address: null, device: null })).token

const whoIs = (token: string, tenant: Tenant) => authenticateSession(identity, token, tenant.slug)

const actionsOf = async (tenant: Tenant) => {
  const rows = await reading(identity.as('OWNER', tenant), (tx) =>
    tx.db.select().from(auditLog).where(tx.inTenant(auditLog)).orderBy(auditLog.id),
  )
  return rows.map(({ action, payload }) => ({ action, ...payload })).slice(3)
}

it('lists the members of one tenant, by name', async () => {
  const { ctx, boss, member } = await makeTeam()
  await identity.addUser('elsewhere@example.com', identity.bob)
  expect((await listMembers(ctx)).map(({ email, role }) => [email, role])).toEqual([
    [boss, 'OWNER'],
    [member, 'MEMBER'],
  ])
})

describe('changing a role', () => {
  it('applies from the next request of a session, and is recorded once', async () => {
    const { ctx, member, tenant } = await makeTeam('VIEWER')
    const token = await openSession(member)
    await changeRole(ctx, member.toUpperCase(), 'ADMIN')
    await changeRole(ctx, member, 'ADMIN')
    expect(await whoIs(token, tenant)).toMatchObject({ role: 'ADMIN' })
    expect(await actionsOf(tenant)).toMatchObject([{ action: 'member.role_changed', from: 'VIEWER', to: 'ADMIN' }])
  })

  it('refuses a user of another tenant and an unknown address in the same way', async () => {
    const { ctx } = await makeTeam()
    await identity.addUser('stranger@example.com', identity.bob)
    const refusals = await Promise.all(
      ['stranger@example.com', 'nobody@example.com'].map((email) =>
        changeRole(ctx, email, 'ADMIN').catch((error: Error) => error),
      ),
    )
    expect(refusals).toEqual([new NotFound('member'), new NotFound('member')])
  })

  it('keeps one OWNER, even when two OWNERs are demoted concurrently', async () => {
    const { ctx, boss, member } = await makeTeam('OWNER')
    const outcomes = await Promise.allSettled([changeRole(ctx, boss, 'MEMBER'), changeRole(ctx, member, 'MEMBER')])
    expect(outcomes.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected'])
    expect((await listMembers(ctx)).map(({ role }) => role).toSorted()).toEqual(['MEMBER', 'OWNER'])
  })
})

describe('removing a member', () => {
  it('ends their sessions, keeps the account, and is recorded', async () => {
    const { ctx, member, tenant } = await makeTeam()
    const token = await openSession(member)
    expect(await removeMember(ctx, member)).toMatchObject({ role: 'MEMBER', activeKeys: 0 })
    await expect(whoIs(token, tenant)).rejects.toBeInstanceOf(Unauthenticated)
    expect((await listMembers(ctx)).map(({ email }) => email)).not.toContain(member)
    expect(await actionsOf(tenant)).toMatchObject([{ action: 'member.removed', role: 'MEMBER' }])
    await expect(removeMember(ctx, member)).rejects.toBeInstanceOf(NotFound)
    // The account is there, and belongs to no tenant.
    await expect(whoIs(await openSession(member), tenant)).rejects.toBeInstanceOf(Forbidden)
  })

  it('ends a session even if only the membership row is deleted', async () => {
    const { ctx, member, memberId, tenant } = await makeTeam()
    const token = await openSession(member)
    await ctx.database.write(tenant.id, (tx) =>
      tx.db.execute(
        sql`delete from memberships where memberships.tenant_id = ${tenant.id} and memberships.user_id = ${memberId}`,
      ),
    )
    await expect(whoIs(token, tenant)).rejects.toBeInstanceOf(Forbidden)
  })

  it('counts the active keys that they created', async () => {
    const { ctx, member, memberId } = await makeTeam('ADMIN')
    const asMember = { ...ctx, principal: { ...ctx.principal, id: memberId, kind: 'USER' as const, subject: memberId } }
    await createApiKey(asMember, { name: 'ci', role: 'MEMBER', expiresAt: null })
    expect(await removeMember(ctx, member)).toMatchObject({ activeKeys: 1 })
  })

  it('refuses to remove the last OWNER', async () => {
    const { ctx, boss } = await makeTeam()
    await expect(removeMember(ctx, boss)).rejects.toBeInstanceOf(Conflict)
  })

  it('can be undone by adding them again, with the former password', async () => {
    const { ctx, member, tenant } = await makeTeam()
    await removeMember(ctx, member)
    await identity.addUser(member, tenant, 'VIEWER')
    expect(await whoIs(await openSession(member), tenant)).toMatchObject({ role: 'VIEWER' })
  })
})

describe('setting a password', () => {
  it('ends every session and the old password', async () => {
    const { ctx, member, tenant } = await makeTeam()
    const token = await openSession(member)
    await setPassword(ctx, member, 'ein ganz neues Kennwort')
    await expect(whoIs(token, tenant)).rejects.toBeInstanceOf(Unauthenticated)
    await expect(openSession(member)).rejects.toBeInstanceOf(Unauthenticated)
    expect(await whoIs(await openSession(member, 'ein ganz neues Kennwort'), tenant)).toMatchObject({ role: 'MEMBER' })
    expect(await actionsOf(tenant)).toMatchObject([{ action: 'member.password_set' }])
  })

  it('refuses a weak password and a user of another tenant, and changes nothing', async () => {
    const { ctx, member } = await makeTeam()
    await expect(setPassword(ctx, member, 'short')).rejects.toBeInstanceOf(Invalid)
    await identity.addUser('other-tenant@example.com', identity.bob)
    await expect(setPassword(ctx, 'other-tenant@example.com', 'long enough')).rejects.toBeInstanceOf(NotFound)
    await openSession(member)
    await openSession('other-tenant@example.com')
  })
})
