import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestHttpServer, type TestHttpServer } from '../../test/testHttpServer.ts'
import { testPassword } from '../../test/testIdentity.ts'

let plain: TestHttpServer
let secure: TestHttpServer

beforeAll(async () => {
  plain = await startTestHttpServer()
  secure = await startTestHttpServer({ http: { publicUrl: 'https://files.example', trustProxy: true } })
  await plain.identity.addUser('eve@example.com', plain.identity.ada)
  await secure.identity.addUser('eve@example.com', secure.identity.ada)
})
afterAll(async () => {
  await plain.close()
  await secure.close()
})

const send = (server: TestHttpServer, body: unknown, headers: Record<string, string> = {}) =>
  fetch(`${server.url}/session`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
const good = { email: 'eve@example.com', password: testPassword }
const cookieOf = (response: Response, name = 'session') =>
  response.headers.getSetCookie().find((cookie) => cookie.includes(`filegraph_${name}=`)) ?? ''

describe('signing in', () => {
  it('sets a cookie that scripts and other sites cannot use', async () => {
    const response = await send(plain, good)
    expect(response.status).toBe(204)
    expect(await response.text()).toBe('')
    expect(cookieOf(response)).toMatch(
      /^filegraph_session=[\w-]{43}; Max-Age=3600; Path=\/; HttpOnly; SameSite=Strict$/,
    )
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it('binds the cookie to this host and to TLS if the URL is https', async () => {
    const response = await send(secure, good)
    expect(cookieOf(response)).toMatch(
      /^__Host-filegraph_session=[\w-]{43}; Max-Age=3600; Path=\/; HttpOnly; Secure; SameSite=Strict$/,
    )
    const cookie = cookieOf(response).split(';')[0] ?? ''
    const asked = await secure.ask('{ whoAmI }', { cookie })
    expect(await asked.json()).toEqual({ data: { whoAmI: 'USER MEMBER' } })
    const renamed = await secure.ask('{ whoAmI }', { cookie: cookie.replace('__Host-', '') })
    expect(await renamed.json()).toEqual({ data: { whoAmI: null } })
  })

  it('answers an unknown e-mail address and a wrong password with the same bytes', async () => {
    const answers = []
    for (const body of [
      { email: 'nobody@example.com', password: testPassword },
      { email: 'eve@example.com', password: 'wrong password' },
    ]) {
      const response = await send(plain, body)
      expect(response.status).toBe(401)
      expect(response.headers.getSetCookie()).toEqual([])
      answers.push(await response.text())
    }
    expect(answers[0]).toBe('{"code":"UNAUTHENTICATED","message":"The e-mail address or the password is wrong."}')
    expect(answers[1]).toBe(answers[0])
  })

  it.each(['', '{', '[]', 'null', '7', '{}', '{"email":"a@b"}', '{"email":{},"password":[]}', '{"__proto__":1}'])(
    'answers 400 to %s',
    async (body) => {
      const response = await send(plain, body)
      expect(response.status).toBe(400)
      expect(Object.keys((await response.json()) as object)).toEqual(['code', 'message'])
    },
  )

  it('refuses large bodies, forms, and other origins', async () => {
    expect((await send(plain, { ...good, padding: 'x'.repeat(9000) })).status).toBe(413)
    expect((await send(plain, good, { 'content-type': 'text/plain' })).status).toBe(403)
    expect((await send(plain, 'email=a', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(415)
    expect((await send(plain, good, { origin: 'https://evil.example' })).status).toBe(403)
    expect((await send(plain, good, { origin: 'http://files.example' })).status).toBe(204)
  })

  it('delays a guesser, and accepts the person elsewhere and on a known device', async () => {
    await secure.identity.addUser('victim@example.com', secure.identity.ada)
    const right = { email: 'victim@example.com', password: testPassword }
    const from = (address: string, more: Record<string, string> = {}) => ({ 'x-forwarded-for': address, ...more })
    const device = cookieOf(await send(secure, right, from('192.0.2.1')), 'device').split(';')[0] ?? ''
    expect(device).toMatch(/^__Host-filegraph_device=[\w-]{43}$/)

    const guess = (n: number) => send(secure, { ...right, password: `guess ${n}` }, from('192.0.2.1'))
    const statuses = await Promise.all(Array.from({ length: 14 }, async (_, n) => (await guess(n)).status))
    expect(statuses.filter((status) => status === 401)).toHaveLength(5)
    const refused = await send(secure, right, from('192.0.2.1'))
    expect(refused.status).toBe(429)
    expect(refused.headers.get('retry-after')).toBe('1')
    expect(await refused.json()).toEqual({ code: 'RATE_LIMITED', message: 'Too many requests. Please wait a moment.' })

    expect((await send(secure, right, from('192.0.2.1', { cookie: device }))).status).toBe(204)
    expect((await send(secure, right, from('192.0.2.2'))).status).toBe(204)
  })

  it('counts by the address of the client behind a proxy, and does not trust a client without one', async () => {
    const guess = (server: TestHttpServer, n: number, from: string) =>
      send(server, { email: `nobody${n}@example.com`, password: 'guess' }, { 'x-forwarded-for': from })
    const many = (server: TestHttpServer, from: (n: number) => string) =>
      Promise.all(Array.from({ length: 51 }, async (_, n) => (await guess(server, n, from(n))).status))
    expect((await many(secure, () => '198.51.100.1')).filter((status) => status === 429)).toHaveLength(1)
    expect((await guess(secure, 0, '198.51.100.2')).status).toBe(401)
    const behind = await many(secure, (n) => `203.0.113.${n}, 198.51.100.3`)
    expect(behind.filter((status) => status === 429)).toHaveLength(1)
    const lied = await many(plain, (n) => `203.0.113.${n}`)
    expect(lied.filter((status) => status === 429).length).toBeGreaterThan(0)
  })
})

describe('signing out', () => {
  it('ends the session and deletes the cookie', async () => {
    const start = plain.identity.now().getTime()
    // The address is delayed for what was tried from it above.
    plain.identity.clock.now = new Date(start + 901_000)
    const cookie = cookieOf(await send(plain, good)).split(';')[0] ?? ''
    expect((await plain.ask('{ whoAmI }', { cookie })).status).toBe(200)
    const foreign = { cookie, origin: 'https://evil.example' }
    expect((await fetch(`${plain.url}/session`, { method: 'DELETE', headers: foreign })).status).toBe(403)
    const response = await fetch(`${plain.url}/session`, { method: 'DELETE', headers: { cookie } })
    expect(response.status).toBe(204)
    expect(cookieOf(response)).toBe('filegraph_session=; Max-Age=0; Path=/; HttpOnly; SameSite=Strict')
    expect((await plain.ask('{ whoAmI }', { cookie })).status).toBe(401)
    expect((await fetch(`${plain.url}/session`, { method: 'DELETE' })).status).toBe(204)
  })

  it('ends the former session when someone signs in again', async () => {
    plain.identity.clock.now = new Date(plain.identity.now().getTime() + 10_000)
    const first = await send(plain, good)
    const [cookie = '', device = ''] = [cookieOf(first), cookieOf(first, 'device')].map((each) => each.split(';')[0])
    expect((await send(plain, good, { cookie: `${cookie}; ${device}` })).status).toBe(204)
    expect((await plain.ask('{ whoAmI }', { cookie })).status).toBe(401)
  })
})
