import { createHmac, randomUUID } from 'node:crypto'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { exportJWK, exportSPKI, generateKeyPair, SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createTestIdentity, type TestIdentity } from '../../../../test/testIdentity.ts'
import { Forbidden, Unauthenticated } from '../../refusals.ts'
import { KeySetUnavailable } from '../../serviceUnavailable.ts'
import { noSuchTenant } from '../roles.ts'
import { authenticateToken, claimAt, createTokenVerifier, type TokenSettings } from './token.ts'

const issuer = 'https://host.example'
const audience = 'filegraph'
const secret = 'a shared secret of at least 32 bytes'
const claims = { tenant: 'tenant', userId: 'sub', name: 'name', role: 'role' }
const shared: TokenSettings = { key: { kind: 'secret', secret }, algorithms: ['HS256'], issuer, audience, claims }

let identity: TestIdentity
let keys: Awaited<ReturnType<typeof generateKeyPair>>
let keyServer: Server
let keySetStatus = 200

beforeAll(async () => {
  identity = await createTestIdentity()
  keys = await generateKeyPair('RS256', { extractable: true })
  const jwk = { ...(await exportJWK(keys.publicKey)), kid: 'one', alg: 'RS256' }
  keyServer = createServer((_, response) => {
    response.writeHead(keySetStatus, { 'content-type': 'application/json' }).end(JSON.stringify({ keys: [jwk] }))
  })
  await new Promise<void>((resolve) => keyServer.listen(0, '127.0.0.1', resolve))
})

afterAll(async () => {
  await new Promise((resolve) => keyServer.close(resolve))
  await identity.close()
})

const keySetUrl = () => `http://127.0.0.1:${(keyServer.address() as AddressInfo).port}/jwks.json`
const keySet = (): TokenSettings => ({ ...shared, key: { kind: 'jwks', url: keySetUrl() }, algorithms: ['RS256'] })

const authenticate = (token: string, settings: TokenSettings = shared) =>
  authenticateToken({ ...identity, verifyToken: createTokenVerifier(settings) }, settings.claims, token)

const seconds = (offset: number) => Math.floor(identity.now().getTime() / 1000) + offset
const good = () => ({
  iss: issuer,
  aud: audience,
  sub: 'user-7',
  name: 'Grace',
  tenant: identity.ada.slug,
  role: 'MEMBER',
  exp: seconds(60),
})

/** Claims that are undefined are left out. */
type Claims = Record<string, unknown>

const sign = (payload: Claims, key: string = secret, alg = 'HS256') =>
  new SignJWT(payload).setProtectedHeader({ alg }).sign(new TextEncoder().encode(key))

const signWithPrivateKey = (payload: Claims, kid = 'one') =>
  new SignJWT(payload).setProtectedHeader({ alg: 'RS256', kid }).sign(keys.privateKey)

const part = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('a token of the host application', () => {
  it('represents its user in its tenant, with a stable id', async () => {
    const principal = await authenticate(await sign(good()))
    expect(principal).toMatchObject({
      tenantId: identity.ada.id,
      kind: 'EXTERNAL',
      subject: 'user-7',
      name: 'Grace',
      email: null,
      role: 'MEMBER',
    })
    expect(await authenticate(await sign({ ...good(), name: 'Renamed' }))).toMatchObject({ id: principal.id })
    const elsewhere = await authenticate(await sign({ ...good(), tenant: identity.bob.slug }))
    expect(elsewhere.id).not.toBe(principal.id)
  })

  it('can name its tenant by id, its user by number, its role in any case', async () => {
    const principal = await authenticate(
      await sign({ ...good(), tenant: identity.ada.id, user: { no: 12 }, 'https://host.example/role': 'admin' }),
      { ...shared, claims: { ...claims, userId: 'user.no', role: 'https://host.example/role' } },
    )
    expect(principal).toMatchObject({ tenantId: identity.ada.id, subject: '12', role: 'ADMIN' })
  })

  it('can only read if it has no role', async () => {
    const { role: _, ...silent } = good()
    expect(await authenticate(await sign(silent))).toMatchObject({ role: 'VIEWER' })
  })

  it('uses the user id if its name cannot be displayed', async () => {
    for (const name of [undefined, 7, '', '\u0000\u202e']) {
      expect(await authenticate(await sign({ ...good(), name }))).toMatchObject({ name: 'user-7' })
    }
    expect(await authenticate(await sign({ ...good(), name: ' Gr\u0000ace\u202e ' }))).toMatchObject({ name: 'Grace' })
  })

  it('is accepted up to 5 s after its expiry, because clocks differ', async () => {
    expect(await authenticate(await sign({ ...good(), exp: seconds(-4) }))).toMatchObject({ subject: 'user-7' })
    await expect(authenticate(await sign({ ...good(), exp: seconds(-6) }))).rejects.toEqual(new Unauthenticated())
  })

  it.each<[string, () => Promise<string>]>([
    ['is expired', () => sign({ ...good(), exp: seconds(-3600) })],
    ['has no expiry', () => sign({ ...good(), exp: undefined })],
    ['is not valid yet', () => sign({ ...good(), nbf: seconds(3600) })],
    ['has another issuer', () => sign({ ...good(), iss: 'https://evil.example' })],
    ['has no issuer', () => sign({ ...good(), iss: undefined })],
    ['has another audience', () => sign({ ...good(), aud: 'another' })],
    ['has no audience', () => sign({ ...good(), aud: undefined })],
    ['is signed with another secret', () => sign(good(), 'another secret of at least 32 bytes')],
    ['is signed with another algorithm', () => sign(good(), secret.repeat(2), 'HS512')],
    ['has an unknown role', () => sign({ ...good(), role: 'ROOT' })],
    ['has a list of roles', () => sign({ ...good(), role: ['OWNER'] })],
    ['has a role of null', () => sign({ ...good(), role: null })],
    ['has no user', () => sign({ ...good(), sub: undefined })],
    ['has an empty user', () => sign({ ...good(), sub: ' ' })],
    ['has a user with a NUL', () => sign({ ...good(), sub: 'a\u0000' })],
    ['has a very long user', () => sign({ ...good(), sub: 'x'.repeat(201) })],
    ['has no tenant', () => sign({ ...good(), tenant: undefined })],
    ['has a tenant that is not text', () => sign({ ...good(), tenant: 7 })],
    ['says alg none', async () => `${part({ alg: 'none' })}.${part(good())}.`],
    ['says alg None', async () => `${part({ alg: 'None' })}.${part(good())}.`],
    ['lost its signature', async () => (await sign(good())).replace(/[^.]+$/, '')],
    ['was changed', async () => (await sign(good())).replace(/\.[^.]+\./, `.${part({ ...good(), role: 'OWNER' })}.`)],
    ['is not a token', async () => 'a.b.c'],
    ['is empty', async () => ''],
  ])('is refused when it %s', async (_, token) => {
    await expect(authenticate(await token())).rejects.toEqual(new Unauthenticated())
  })

  it('reveals nothing about other tenants', async () => {
    for (const tenant of ['nobody-here', randomUUID(), 'Not A Slug']) {
      await expect(authenticate(await sign({ ...good(), tenant }))).rejects.toEqual(new Forbidden(noSuchTenant))
    }
  })
})

describe('a key set', () => {
  it('verifies tokens signed with the private key', async () => {
    expect(await authenticate(await signWithPrivateKey(good()), keySet())).toMatchObject({ subject: 'user-7' })
  })

  it('cannot be used as a shared secret: a token signed by HMAC with the public key is refused', async () => {
    const publicKey = await exportSPKI(keys.publicKey)
    const input = `${part({ alg: 'HS256', kid: 'one' })}.${part(good())}`
    const forged = `${input}.${createHmac('sha256', publicKey).update(input).digest('base64url')}`
    await expect(authenticate(forged, keySet())).rejects.toEqual(new Unauthenticated())
    expect(() => createTokenVerifier({ ...keySet(), algorithms: ['RS256', 'HS256'] })).toThrow()
    expect(() => createTokenVerifier({ ...shared, algorithms: ['HS256', 'RS256'] })).toThrow()
    expect(() => createTokenVerifier({ ...shared, algorithms: ['none'] })).toThrow()
    expect(() => createTokenVerifier({ ...shared, algorithms: [] })).toThrow()
  })

  it('refuses a key id that it does not have', async () => {
    await expect(authenticate(await signWithPrivateKey(good(), 'two'), keySet())).rejects.toEqual(new Unauthenticated())
  })

  it('makes tokens unverifiable while it is down, and recovers by itself', async () => {
    const settings = keySet()
    const verifyToken = createTokenVerifier(settings)
    const token = await signWithPrivateKey(good())
    keySetStatus = 500
    await expect(verifyToken(token, identity.now())).rejects.toBeInstanceOf(KeySetUnavailable)
    keySetStatus = 200
    expect(await verifyToken(token, identity.now())).toMatchObject({ sub: 'user-7' })
    const nobody = { ...settings, key: { kind: 'jwks', url: 'http://127.0.0.1:1/jwks.json' } } as const
    await expect(createTokenVerifier(nobody)(token, identity.now())).rejects.toBeInstanceOf(KeySetUnavailable)
  })
})

describe('the path of a claim', () => {
  it('finds plain, nested and namespaced claims, and prefers a name with dots', () => {
    expect(claimAt({ a: 1 }, 'a')).toBe(1)
    expect(claimAt({ a: { b: 2 } }, 'a.b')).toBe(2)
    expect(claimAt({ 'a.b': 3, a: { b: 2 } }, 'a.b')).toBe(3)
    expect(claimAt({ 'https://x.example/org': { slug: 's' } }, 'https://x.example/org.slug')).toBe('s')
  })

  it('finds only own properties of the token', () => {
    for (const path of ['constructor', 'toString', '__proto__.constructor', 'a.length', 'a.', '.a', '']) {
      expect(claimAt({ a: 'text' }, path)).toBeUndefined()
    }
    expect(claimAt(['x'], '0')).toBeUndefined()
  })
})
