import { randomUUID } from 'node:crypto'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestHttpServer, type TestHttpServer } from '../../test/testHttpServer.ts'
import { testPassword } from '../../test/testIdentity.ts'
import { DatabaseUnavailable } from '../database/databaseUnavailable.ts'
import { createApiKey, revokeApiKey } from '../domain/identity/keys/apiKeys.ts'

const jwt = {
  key: { kind: 'secret', secret: 'a shared secret of at least 32 bytes' },
  algorithms: ['HS256'],
  issuer: 'https://host.example',
  audience: 'filegraph',
  claims: { tenant: 'tenant', userId: 'sub', name: 'name', role: 'role' },
} as const

let server: TestHttpServer
let key: string
let cookie: string

beforeAll(async () => {
  server = await startTestHttpServer({ jwt })
  const { identity } = server
  key = (await createApiKey(identity.as('OWNER'), { name: 'Test', role: 'MEMBER', expiresAt: null })).secret
  await identity.addUser('eve@example.com', identity.ada, 'ADMIN')
  const signedIn = await fetch(`${server.url}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ email: 'eve@example.com', password: testPassword }),
  })
  cookie = signedIn.headers.getSetCookie()[0]?.split(';')[0] ?? ''
})
afterAll(() => server.close())

const token = (tenant: string, secret: string = jwt.key.secret) =>
  new SignJWT({ tenant, role: 'VIEWER' })
    .setProtectedHeader({ alg: 'HS256' })
    .setSubject('u1')
    .setIssuer(jwt.issuer)
    .setAudience(jwt.audience)
    .setExpirationTime(new Date(server.identity.now().getTime() + 60_000))
    .sign(new TextEncoder().encode(secret))

const whoAmI = async (headers: Record<string, string>) => {
  const response = await server.ask('{ whoAmI }', headers)
  return { status: response.status, body: await response.text() }
}
const me = (text: string | null) => ({ status: 200, body: `${JSON.stringify({ data: { whoAmI: text } })}\n` })
const unauthenticated = {
  status: 401,
  body: JSON.stringify({
    errors: [{ message: 'Sign in, or send a valid API key or token.', extensions: { code: 'UNAUTHENTICATED' } }],
  }),
}
const forbidden = {
  status: 403,
  body: JSON.stringify({
    errors: [
      { message: 'You have no access to this tenant, or it does not exist.', extensions: { code: 'FORBIDDEN' } },
    ],
  }),
}

describe('a request', () => {
  it('is answered with an API key, a token, a session, and without credentials', async () => {
    expect(await whoAmI({ authorization: `Bearer ${key}` })).toEqual(me('API_KEY MEMBER'))
    expect(await whoAmI({ authorization: `bearer ${await token('ada-works')}` })).toEqual(me('EXTERNAL VIEWER'))
    expect(await whoAmI({ cookie })).toEqual(me('USER ADMIN'))
    expect(await whoAmI({})).toEqual(me(null))
  })

  it('with invalid credentials is refused as a whole, and no resolver runs', async () => {
    const before = server.touched()
    const expired = new Date(server.identity.now().getTime() + 1)
    const owner = server.identity.as('OWNER')
    const brief = await createApiKey(owner, { name: 'Brief', role: 'OWNER', expiresAt: expired })
    const revoked = await createApiKey(owner, { name: 'Revoked', role: 'OWNER', expiresAt: null })
    await revokeApiKey(owner, revoked.apiKey.id)
    server.identity.clock.now = expired
    const refused = [
      { authorization: `Bearer ${key}x` },
      { authorization: `Bearer ${brief.secret}` },
      { authorization: `Bearer ${revoked.secret}` },
      { authorization: `Bearer ${await token('ada-works', 'another secret of at least 32 bytes')}` },
      { authorization: 'Bearer a.b.c' },
      { authorization: 'Bearer' },
      { authorization: 'Basic dXNlcjpwYXNz' },
      { authorization: key },
      { cookie: `filegraph_session=${'A'.repeat(43)}` },
      { cookie: 'filegraph_session=' },
    ]
    for (const headers of refused) {
      const response = await server.ask('mutation { touch }', headers)
      expect({ status: response.status, body: await response.text() }).toEqual(unauthenticated)
      expect(response.headers.get('www-authenticate')).toBe('Bearer')
    }
    expect(server.touched()).toBe(before)
  })

  it('with an invalid authorization header is refused despite a valid cookie', async () => {
    expect(await whoAmI({ cookie, authorization: 'Bearer nonsense' })).toEqual(unauthenticated)
    expect(await whoAmI({ cookie, authorization: '' })).toEqual(unauthenticated)
    expect(await whoAmI({ cookie, authorization: `Bearer ${key}` })).toEqual(me('API_KEY MEMBER'))
  })

  it('gets the same bytes for a foreign tenant as for an unknown one', async () => {
    const credentials = [
      { authorization: `Bearer ${key}` },
      { authorization: `Bearer ${await token('ada-works')}` },
      { cookie },
    ]
    for (const headers of credentials) {
      for (const slug of ['bobs-yard', 'nobody-here', 'Not a slug', server.identity.bob.id, '']) {
        expect(await whoAmI({ ...headers, 'x-filegraph-tenant': slug })).toEqual(forbidden)
      }
      expect((await whoAmI({ ...headers, 'x-filegraph-tenant': 'ada-works' })).status).toBe(200)
    }
    for (const tenant of ['nobody-here', randomUUID()]) {
      expect(await whoAmI({ authorization: `Bearer ${await token(tenant)}` })).toEqual(forbidden)
    }
  })

  it('is asked to retry while the database is down', async () => {
    const { database } = server.identity
    const { readOnce } = database
    Object.assign(database, { readOnce: () => Promise.reject(new DatabaseUnavailable('gone')) })
    const response = await server.ask('{ whoAmI }', { authorization: `Bearer ${key}` })
    Object.assign(database, { readOnce })
    expect(response.status).toBe(503)
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'SERVICE_UNAVAILABLE' } }] })
    expect(await whoAmI({ authorization: `Bearer ${key}` })).toEqual(me('API_KEY MEMBER'))
  })
})

describe('a request with the session cookie', () => {
  const asGet = (headers: Record<string, string>, query = '{whoAmI}') =>
    fetch(`${server.url}/graphql?query=${encodeURIComponent(query)}`, { headers: { cookie, ...headers } })

  it('is refused if a form of another site could have sent it', async () => {
    for (const headers of [{}, { 'content-type': 'text/plain' }, { 'x-filegraph-csrf': '' }]) {
      expect((await asGet(headers)).status).toBe(403)
    }
    const form = await fetch(`${server.url}/graphql`, {
      method: 'POST',
      headers: { cookie, 'content-type': 'text/plain' },
      body: JSON.stringify({ query: 'mutation { touch }' }),
    })
    expect(form.status).toBe(403)
    expect((await asGet({ 'apollo-require-preflight': '1' })).status).toBe(200)
    expect((await asGet({ 'x-filegraph-csrf': '1', 'content-type': 'application/json' })).status).toBe(200)
  })

  it('is refused if it comes from another origin', async () => {
    for (const origin of ['https://evil.example', 'null', 'http://files.example.evil.example', 'nonsense']) {
      const response = await server.ask('mutation { touch }', { cookie, origin })
      expect(response.status).toBe(403)
      expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'FORBIDDEN' } }] })
    }
    for (const origin of ['http://files.example', `http://127.0.0.1:${server.port}`]) {
      expect(await whoAmI({ cookie, origin })).toEqual(me('USER ADMIN'))
    }
  })

  it('changes nothing by GET', async () => {
    const before = server.touched()
    const response = await asGet({ 'x-filegraph-csrf': '1', 'apollo-require-preflight': '1' }, 'mutation{touch}')
    expect(response.status).toBe(405)
    expect(server.touched()).toBe(before)
  })
})

describe('a page of another site', () => {
  it('can send a bearer token if it is allowed, and can never use the cookie', async () => {
    const preflight = await fetch(`${server.url}/graphql`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    })
    expect(preflight.status).toBe(204)
    expect(preflight.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(preflight.headers.get('access-control-allow-headers')).toContain('authorization')
    expect(preflight.headers.get('access-control-allow-credentials')).toBeNull()
    const refused = await server.ask('{ hello }', { origin: 'https://app.example', authorization: 'Bearer x' })
    expect(refused.status).toBe(401)
    expect(refused.headers.get('access-control-allow-origin')).toBe('https://app.example')
  })

  it('cannot read a response if it is not allowed', async () => {
    const response = await server.ask('{ hello }', { origin: 'https://evil.example' })
    expect(response.headers.get('access-control-allow-origin')).toBeNull()
  })
})
