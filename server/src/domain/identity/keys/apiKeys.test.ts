import { randomUUID } from 'node:crypto'
import { and, eq } from 'drizzle-orm'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestIdentity, type TestIdentity } from '../../../../test/testIdentity.ts'
import { apiKeys } from '../../../database/tables/identityTables.ts'
import { auditLog, events } from '../../../database/tables/journalTables.ts'
import { Forbidden, Invalid, NotFound, Unauthenticated } from '../../refusals.ts'
import { authenticateApiKey } from '../authenticate/apiKey.ts'
import { KeyUse } from '../authenticate/keyUse.ts'
import { formatApiKey, parseApiKey } from './apiKeyText.ts'
import { createApiKey, revokeApiKey } from './apiKeys.ts'

let identity: TestIdentity
let keyUse: KeyUse
const failures: unknown[] = []

beforeAll(async () => {
  identity = await createTestIdentity()
  keyUse = new KeyUse(identity.database, identity.now, (error) => failures.push(error))
})

afterAll(async () => {
  await keyUse.settled()
  await identity.close()
})

const authenticate = (text: string) => authenticateApiKey({ ...identity, keyUse }, text)
const newKey = (ctx = identity.as('OWNER')) => createApiKey(ctx, { name: 'Deploys', role: 'MEMBER', expiresAt: null })

const storedKey = async (id: string) => {
  const [row] = await identity.database.read(identity.ada.id, (tx) =>
    tx.db
      .select()
      .from(apiKeys)
      .where(and(tx.inTenant(apiKeys), eq(apiKeys.id, id))),
  )
  return row
}

/** In alphabetical order: the clock stands still. */
const recordsOf = (id: string) =>
  identity.database.read(identity.ada.id, async (tx) => {
    const isOfKey = and(tx.inTenant(auditLog), eq(auditLog.subjectId, id))
    const audit = await tx.db.select({ action: auditLog.action }).from(auditLog).where(isOfKey)
    const told = and(tx.inTenant(events), eq(events.subjectId, id))
    const journal = await tx.db.select({ type: events.type }).from(events).where(told)
    return { audit: audit.map(({ action }) => action).toSorted(), events: journal.map(({ type }) => type).toSorted() }
  })

describe('the text of an API key', () => {
  it('contains tenant, key and secret, and has one spelling', () => {
    const key = { tenantId: randomUUID(), keyId: randomUUID(), secret: Buffer.alloc(32, 7) }
    const text = formatApiKey(key)
    expect(text).toMatch(/^fgk_[A-Za-z0-9_-]{43}_[A-Za-z0-9_-]{43}$/)
    expect(parseApiKey(text)).toEqual(key)
    // 43 characters carry two bits more than 32 bytes: the same bytes, written otherwise, are refused.
    const last = text.at(-1) ?? ''
    const twin = String.fromCharCode(last.charCodeAt(0) + 1)
    expect(Buffer.from(text.slice(-43, -1) + twin, 'base64url')).toEqual(key.secret)
    expect(parseApiKey(text.slice(0, -1) + twin)).toBeNull()
  })

  it.each([
    '',
    'fgk_',
    'fgk_a_b',
    `fgk_${'A'.repeat(43)}`,
    `fgk_${'A'.repeat(43)}_${'!'.repeat(43)}`,
    'x'.repeat(9000),
  ])('cannot be %.20s', (text) => {
    expect(parseApiKey(text)).toBeNull()
  })
})

describe('an API key', () => {
  it('acts with its own role in the tenant that created it', async () => {
    const { apiKey, secret } = await newKey()
    expect(await authenticate(secret)).toEqual({
      tenantId: identity.ada.id,
      id: apiKey.id,
      kind: 'API_KEY',
      subject: apiKey.id,
      name: 'Deploys',
      email: null,
      role: 'MEMBER',
    })
  })

  it('is stored without its secret, and recorded once', async () => {
    const { apiKey, secret } = await newKey()
    const row = await storedKey(apiKey.id)
    expect(JSON.stringify(row)).not.toContain(secret.slice(-43))
    expect(row?.secretHash.includes(Buffer.from(secret.slice(-43), 'base64url'))).toBe(false)
    expect(await recordsOf(apiKey.id)).toEqual({
      audit: ['api_key.created'],
      events: ['api_key.created'],
    })
  })

  it('is refused with the same message if it is unknown, forged, of another tenant, expired or revoked', async () => {
    const now = identity.now()
    const { apiKey, secret } = await newKey()
    const parsed = parseApiKey(secret)
    if (!parsed) throw new Error('a new key could not be parsed')
    const expiring = await createApiKey(identity.as('OWNER'), {
      name: 'Short',
      role: 'VIEWER',
      expiresAt: new Date(now.getTime() + 1000),
    })
    const revoked = await newKey()
    await revokeApiKey(identity.as('OWNER'), revoked.apiKey.id)
    expect(await authenticate(expiring.secret)).toMatchObject({ role: 'VIEWER' })
    identity.clock.now = new Date(now.getTime() + 1000)
    const refused = [
      formatApiKey({ ...parsed, keyId: randomUUID() }),
      formatApiKey({ ...parsed, secret: Buffer.alloc(32) }),
      formatApiKey({ ...parsed, tenantId: identity.bob.id }),
      formatApiKey({ ...parsed, tenantId: randomUUID() }),
      `${secret}x`,
      'fgk_nonsense',
      expiring.secret,
      revoked.secret,
    ]
    for (const text of refused) {
      await expect(authenticate(text)).rejects.toEqual(new Unauthenticated())
    }
    expect(await authenticate(secret)).toMatchObject({ id: apiKey.id })
  })

  it('is revoked once by any number of concurrent calls', async () => {
    const { apiKey } = await newKey()
    const owner = identity.as('OWNER')
    const answers = await Promise.all(Array.from({ length: 5 }, () => revokeApiKey(owner, apiKey.id)))
    answers.push(await revokeApiKey(owner, apiKey.id))
    expect(new Set(answers.map((answer) => JSON.stringify(answer))).size).toBe(1)
    expect(answers[0]?.revokedAt).toEqual(identity.now())
    const once = ['api_key.created', 'api_key.revoked']
    expect(await recordsOf(apiKey.id)).toEqual({ audit: once, events: once })
  })

  it('cannot be revoked from another tenant, with the answer for an unknown key', async () => {
    const { apiKey } = await newKey()
    const stranger = identity.as('OWNER', identity.bob)
    for (const id of [apiKey.id, randomUUID(), 'no id', '']) {
      await expect(revokeApiKey(stranger, id)).rejects.toEqual(new NotFound('API key'))
    }
    expect((await storedKey(apiKey.id))?.revokedAt).toBeNull()
  })

  it('cannot have a role above that of its creator', async () => {
    const wanted = { name: 'Too much', role: 'OWNER', expiresAt: null } as const
    await expect(createApiKey(identity.as('ADMIN'), wanted)).rejects.toBeInstanceOf(Forbidden)
    expect((await createApiKey(identity.as('OWNER'), wanted)).apiKey.role).toBe('OWNER')
  })

  it.each([
    ['name', { name: '' }],
    ['name', { name: ' \t ' }],
    ['name', { name: 'x'.repeat(101) }],
    ['name', { name: 'a\u0000b' }],
    ['name', { name: 'a\u202eb' }],
    ['expiresAt', { expiresAt: new Date(0) }],
    ['expiresAt', { expiresAt: new Date(Number.NaN) }],
    ['expiresAt', { expiresAt: new Date('+010000-01-01T00:00:00Z') }],
  ])('is not created with a bad %s', async (field, bad) => {
    const wanted = { name: 'Fine', role: 'VIEWER', expiresAt: null, ...bad } as const
    const refusal = await createApiKey(identity.as('OWNER'), wanted).catch((error: unknown) => error)
    expect(refusal).toBeInstanceOf(Invalid)
    expect(refusal).toMatchObject({ field })
  })
})

describe('the last use of a key', () => {
  it('is written at most once a minute', async () => {
    const { apiKey, secret } = await newKey()
    const first = identity.now()
    await authenticate(secret)
    await keyUse.settled()
    expect((await storedKey(apiKey.id))?.lastUsedAt).toEqual(first)
    identity.clock.now = new Date(first.getTime() + 59_000)
    await authenticate(secret)
    await keyUse.settled()
    expect((await storedKey(apiKey.id))?.lastUsedAt).toEqual(first)
    identity.clock.now = new Date(first.getTime() + 60_000)
    await authenticate(secret)
    await keyUse.settled()
    expect((await storedKey(apiKey.id))?.lastUsedAt).toEqual(identity.now())
  })

  it('costs one statement a minute for any number of requests', async () => {
    const { secret } = await newKey()
    let writes = 0
    const counted: typeof identity.database = {
      ...identity.database,
      write: (tenantId, work) => {
        writes += 1
        return identity.database.write(tenantId, work)
      },
    }
    const counting = new KeyUse(counted, identity.now, (error) => failures.push(error))
    const services = { ...identity, keyUse: counting }
    await Promise.all(Array.from({ length: 5 }, () => authenticateApiKey(services, secret)))
    await counting.settled()
    expect(writes).toBe(1)
  })

  it('fails no request when it cannot be written', async () => {
    const { apiKey, secret } = await newKey()
    const broken = { ...identity.database, write: () => Promise.reject(new Error('no space left')) }
    const failing = new KeyUse(broken, identity.now, (error) => failures.push(error))
    expect(await authenticateApiKey({ ...identity, keyUse: failing }, secret)).toMatchObject({ id: apiKey.id })
    await failing.settled()
    expect(failures).toEqual([new Error('no space left')])
  })
})
