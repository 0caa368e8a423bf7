import { eq } from 'drizzle-orm'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { createTestIdentity, testPassword, type TestIdentity } from '../../../../test/testIdentity.ts'
import { sessions, signInAttempts, users } from '../../../database/tables/identityTables.ts'
import { Conflict, Forbidden, Invalid, RateLimited, Unauthenticated } from '../../refusals.ts'
import { authenticateSession, forgetSessions } from '../authenticate/session.ts'
import { noSuchTenant } from '../roles.ts'
import { setPassword } from './changeMembers.ts'
import { addMember } from './createUser.ts'
import { hashPassword, nobodysHash } from './passwordHash.ts'
import { findDevice, signIn, signOut } from './signIn.ts'
import { networkOf } from './signInAttempts.ts'

let identity: TestIdentity
let eve: string
const lifetimeSeconds = 3600
const wrong = new Unauthenticated('The e-mail address or the password is wrong.')

beforeAll(async () => {
  identity = await createTestIdentity()
  eve = await identity.addUser('Eve@Example.com ', identity.ada)
})
beforeEach(() => identity.database.lookUp((db) => db.delete(signInAttempts)))
afterAll(() => identity.close())

const enter = (
  email: string,
  password = testPassword,
  address: string | null = '192.0.2.1',
  device: string | null = null,
) => signIn({ ...identity, lifetimeSeconds }, { email, password, address, device })
const who = (token: string, slug: string | null = null) => authenticateSession(identity, token, slug)

/** How many of these were let in, how many guessed wrong, how many were not even looked at. */
async function outcomes(attempts: Promise<unknown>[]) {
  const settled = await Promise.allSettled(attempts)
  const reasons = settled.map((one) => (one.status === 'rejected' ? one.reason : null))
  return {
    in: reasons.filter((reason) => reason === null).length,
    wrong: reasons.filter((reason) => reason instanceof Unauthenticated).length,
    limited: reasons.filter((reason) => reason instanceof RateLimited).length,
  }
}

describe('signing in', () => {
  it('opens a session and stores only its hash, for any case of the e-mail address', async () => {
    const session = await enter(' EVE@example.COM')
    expect(session.token).toMatch(/^[A-Za-z0-9_-]{43}$/)
    expect(session.expiresAt.getTime()).toBe(identity.now().getTime() + lifetimeSeconds * 1000)
    const rows = await identity.database.lookUp((db) => db.select().from(sessions).where(eq(sessions.userId, eve)))
    expect(rows.map((row) => row.tokenHash.toString('base64url'))).not.toContain(session.token)
    expect(await who(session.token)).toEqual({
      tenantId: identity.ada.id,
      id: eve,
      kind: 'USER',
      subject: eve,
      name: 'Name of Eve@Example.com',
      email: 'eve@example.com',
      role: 'MEMBER',
    })
  })

  it('refuses an unknown e-mail address and a wrong password with the same message', async () => {
    for (const [email, password] of [
      ['nobody@example.com', testPassword],
      ['eve@example.com', 'wrong password'],
      ['eve@example.com', ''],
      ['eve@example.com', testPassword.padEnd(100_000, 'x')],
      ['eve@example.com\u0000', testPassword],
      ['', ''],
    ] as const) {
      await expect(enter(email, password, null)).rejects.toEqual(wrong)
    }
  })

  it('takes as long for an unknown e-mail address as for a known one', async () => {
    const parameters = nobodysHash.split('$').slice(0, 4)
    expect((await hashPassword('x')).split('$').slice(0, 4)).toEqual(parameters)
    expect(parameters).toEqual(['', 'argon2id', 'v=19', 'm=19456,t=2,p=1'])
  })

  it('checks only five wrong passwords from one address, even when they arrive at once', async () => {
    const guesses = Array.from({ length: 15 }, (_, n) => enter('eve@example.com', `guess ${n}`))
    expect(await outcomes(guesses)).toEqual({ in: 0, wrong: 5, limited: 10 })
  })

  it('accepts all right passwords, even when several tabs of one office sign in repeatedly at once', async () => {
    const often = Array.from({ length: 4 }, async () => {
      for (let round = 0; round < 12; round += 1) await enter('eve@example.com')
    })
    expect(await outcomes(often)).toEqual({ in: 4, wrong: 0, limited: 0 })
  })

  it('delays a guesser longer and longer, up to fifteen minutes', async () => {
    await outcomes(Array.from({ length: 4 }, () => enter('eve@example.com', 'guess')))
    const delays: number[] = []
    for (let failures = 5; failures < 18; failures += 1) {
      await expect(enter('eve@example.com', 'guess')).rejects.toEqual(wrong)
      const refusal: unknown = await enter('eve@example.com').catch((error: unknown) => error)
      if (!(refusal instanceof RateLimited)) throw refusal
      delays.push(refusal.retryAfterSeconds)
      identity.clock.now = new Date(identity.now().getTime() + refusal.retryAfterSeconds * 1000)
    }
    expect(delays).toEqual([1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900, 900])
  })

  it('does not lock out a person at another address', async () => {
    await outcomes(Array.from({ length: 30 }, () => enter('eve@example.com', 'guess', '203.0.113.5')))
    await expect(enter('eve@example.com', testPassword, '203.0.113.5')).rejects.toBeInstanceOf(RateLimited)
    expect((await enter('eve@example.com', testPassword, '198.51.100.9')).userId).toBe(eve)
    // And their success does not help the one who guesses.
    await expect(enter('eve@example.com', testPassword, '203.0.113.5')).rejects.toBeInstanceOf(RateLimited)
  })

  it('gives each address one attempt at an account that is attacked from many', async () => {
    for (let round = 0; round < 5; round += 1) {
      const network = (n: number) => `203.0.113.${round * 20 + n}`
      await outcomes(Array.from({ length: 20 }, (_, n) => enter('eve@example.com', 'guess', network(n))))
    }
    const guesses = [await outcomes([enter('eve@example.com', 'guess', '198.51.100.1')])]
    guesses.push(await outcomes([enter('eve@example.com', 'guess', '198.51.100.1')]))
    expect(guesses).toEqual([
      { in: 0, wrong: 1, limited: 0 },
      { in: 0, wrong: 0, limited: 1 },
    ])
    expect((await enter('eve@example.com', testPassword, '198.51.100.2')).userId).toBe(eve)
  })

  it('accepts the right password from a known device during an attack from its own address', async () => {
    const { device } = await enter('eve@example.com')
    await outcomes(Array.from({ length: 60 }, (_, n) => enter(`nobody${n}@example.com`, 'guess')))
    await outcomes(Array.from({ length: 10 }, () => enter('eve@example.com', 'guess')))
    await expect(enter('eve@example.com')).rejects.toBeInstanceOf(RateLimited)
    const again = await enter('eve@example.com', testPassword, '192.0.2.1', device)
    expect(again).toMatchObject({ userId: eve, device })
  })

  it('delays a known device that guesses, and nobody else', async () => {
    const { device } = await enter('eve@example.com')
    const guesses = Array.from({ length: 8 }, () => enter('eve@example.com', 'guess', '192.0.2.1', device))
    expect(await outcomes(guesses)).toEqual({ in: 0, wrong: 5, limited: 3 })
    expect((await enter('eve@example.com')).userId).toBe(eve)
  })

  it('knows a device only for its own users, until it expires or the password is replaced', async () => {
    await identity.addUser('mallory@example.com', identity.ada)
    const { device } = await enter('mallory@example.com')
    await outcomes(Array.from({ length: 10 }, () => enter('eve@example.com', 'guess')))
    for (const token of [device, 'A'.repeat(43), 'junk', '']) {
      await expect(enter('eve@example.com', testPassword, '192.0.2.1', token)).rejects.toBeInstanceOf(RateLimited)
    }
    const own = await enter('eve@example.com', testPassword, '192.0.2.77')
    await setPassword(identity.as('OWNER'), 'eve@example.com', testPassword)
    await expect(enter('eve@example.com', testPassword, '192.0.2.1', own.device)).rejects.toBeInstanceOf(RateLimited)
  })

  it('never adopts a device token that somebody planted', async () => {
    const planted = 'P'.repeat(43)
    expect((await enter('eve@example.com', testPassword, '192.0.2.1', planted)).device).not.toBe(planted)
  })

  it('remembers the newest twenty devices of a user', async () => {
    const tokens: string[] = []
    for (let n = 0; n < 22; n += 1) {
      identity.clock.now = new Date(identity.now().getTime() + 1000)
      tokens.push((await enter('eve@example.com')).device)
    }
    const known = await Promise.all(tokens.map((token) => findDevice(identity, token, 'eve@example.com')))
    expect(known.map((device) => device !== null)).toEqual(tokens.map((_, n) => n >= 2))
  })

  it('delays an address that tries many accounts, for at most ten seconds', async () => {
    const guesses = Array.from({ length: 70 }, (_, n) => enter(`nobody${n}@example.com`, 'guess', '198.51.100.7'))
    expect(await outcomes(guesses)).toEqual({ in: 0, wrong: 50, limited: 20 })
    for (let n = 0; n < 8; n += 1) {
      identity.clock.now = new Date(identity.now().getTime() + 10_000)
      await expect(enter(`more${n}@example.com`, 'guess', '198.51.100.7')).rejects.toEqual(wrong)
    }
    await expect(enter('eve@example.com', testPassword, '198.51.100.7')).rejects.toMatchObject({
      retryAfterSeconds: 10,
    })
    expect((await enter('eve@example.com', testPassword, '198.51.100.8')).userId).toBe(eve)
  })

  it('treats an unknown e-mail address in the same way', async () => {
    const guesses = Array.from({ length: 12 }, () => enter('ghost@example.com', 'guess', null))
    expect(await outcomes(guesses)).toEqual({ in: 0, wrong: 5, limited: 7 })
  })

  it('resets after a success, and forgets failures after a day', async () => {
    for (let round = 0; round < 2; round += 1) {
      const guesses = Array.from({ length: 5 }, () => enter('eve@example.com', 'guess'))
      expect(await outcomes(guesses)).toEqual({ in: 0, wrong: 5, limited: 0 })
      identity.clock.now = new Date(identity.now().getTime() + 1000)
      expect((await enter('eve@example.com')).userId).toBe(eve)
    }
    await outcomes(Array.from({ length: 9 }, () => enter('eve@example.com', 'guess')))
    identity.clock.now = new Date(identity.now().getTime() + 86_400_000)
    const guesses = Array.from({ length: 9 }, () => enter('eve@example.com', 'guess'))
    expect(await outcomes(guesses)).toEqual({ in: 0, wrong: 5, limited: 4 })
    await forgetSessions(identity)
    identity.clock.now = new Date(identity.now().getTime() + 86_400_000)
    await forgetSessions(identity)
    expect(await identity.database.lookUp((db) => db.select().from(signInAttempts))).toEqual([])
  })

  it('treats the addresses of one IPv6 network as one', () => {
    expect(networkOf('2001:db8::1')).toBe(networkOf('2001:0db8:0:0:ffff:1:2:3'))
    expect(networkOf('2001:db8:0:1::1')).not.toBe(networkOf('2001:db8::1'))
    expect(networkOf('::1')).toBe('0:0:0:0::/64')
    expect(networkOf('fe80::1%eth0')).toBe('fe80:0:0:0::/64')
    expect(networkOf('::ffff:192.0.2.1')).toBe('192.0.2.1')
    expect(networkOf('192.0.2.1')).toBe('192.0.2.1')
  })
})

describe('a session', () => {
  it('ends at sign-out and at its expiry', async () => {
    const { token } = await enter('eve@example.com')
    const other = await enter('eve@example.com')
    await signOut(identity, token)
    await signOut(identity, token)
    await signOut(identity, 'never was one')
    await expect(who(token)).rejects.toEqual(new Unauthenticated())
    expect(await who(other.token)).toMatchObject({ id: eve })
    identity.clock.now = other.expiresAt
    await expect(who(other.token)).rejects.toEqual(new Unauthenticated())
  })

  it('is refused if it never existed', async () => {
    for (const token of ['', 'x', 'A'.repeat(43), '\u0000'.repeat(43)]) {
      await expect(who(token)).rejects.toEqual(new Unauthenticated())
    }
  })

  it('acts in the named tenant, otherwise in the first by slug', async () => {
    const id = await identity.addUser('both@example.com', identity.bob, 'VIEWER')
    await identity.addUser('both@example.com', identity.ada, 'ADMIN')
    const { token } = await enter('both@example.com')
    expect(await who(token)).toMatchObject({ id, tenantId: identity.ada.id, role: 'ADMIN' })
    expect(await who(token, 'bobs-yard')).toMatchObject({ id, tenantId: identity.bob.id, role: 'VIEWER' })
  })

  it('reveals nothing about tenants of others', async () => {
    const { token } = await enter('eve@example.com')
    for (const slug of ['bobs-yard', 'nobody-here', '', 'ADA-WORKS', "' or 1=1"]) {
      await expect(who(token, slug)).rejects.toEqual(new Forbidden(noSuchTenant))
    }
  })
})

describe('addMember', () => {
  it('keeps the name and the password of an existing user', async () => {
    await identity.addUser('twice@example.com', identity.ada)
    const again = { email: 'TWICE@example.com', name: 'Other', password: 'another password', role: 'VIEWER' } as const
    expect(await addMember(identity.as('OWNER', identity.bob), again)).toMatchObject({ isNewUser: false })
    await expect(enter('twice@example.com', 'another password')).rejects.toEqual(wrong)
    expect(await who((await enter('twice@example.com')).token)).toMatchObject({ name: 'Name of twice@example.com' })
  })

  it('adds a member once for concurrent calls', async () => {
    const wanted = { email: 'race@example.com', name: 'Race', password: testPassword, role: 'VIEWER' } as const
    const owner = identity.as('OWNER')
    const settled = await Promise.allSettled(Array.from({ length: 4 }, () => addMember(owner, wanted)))
    const reasons = settled.flatMap((one) => (one.status === 'rejected' ? [one.reason as unknown] : []))
    expect(reasons).toHaveLength(3)
    for (const reason of reasons) expect(reason).toBeInstanceOf(Conflict)
    const rows = await identity.database.lookUp((db) => db.select().from(users).where(eq(users.email, wanted.email)))
    expect(rows).toHaveLength(1)
  })

  it.each([
    ['email', { email: 'no address' }],
    ['email', { email: `${'x'.repeat(250)}@example.com` }],
    ['name', { name: '\n' }],
    ['password', { password: 'seven77' }],
    ['password', { password: 'x'.repeat(201) }],
  ])('refuses a bad %s', async (field, bad) => {
    const wanted = { email: 'bad@example.com', name: 'Bad', password: testPassword, role: 'VIEWER', ...bad } as const
    const refusal = await addMember(identity.as('OWNER'), wanted).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(Invalid)
    expect(refusal).toMatchObject({ field })
  })

  it('gives no role above that of the member who adds them', async () => {
    const wanted = { email: 'above@example.com', name: 'Above', password: testPassword, role: 'OWNER' } as const
    await expect(addMember(identity.as('ADMIN'), wanted)).rejects.toBeInstanceOf(Forbidden)
  })
})
