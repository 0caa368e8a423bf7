import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestHttpServer, type TestHttpServer } from '../../test/testHttpServer.ts'
import { createApiKey } from '../domain/identity/keys/apiKeys.ts'
import type { Readiness } from './healthRoutes.ts'

let server: TestHttpServer
let closed: TestHttpServer
let readiness: () => Promise<Readiness>
const ready = { database: true, bucket: true, migrations: true, deletes: 'allowed' as const }

beforeAll(async () => {
  server = await startTestHttpServer({ options: { readiness: () => readiness() } })
  closed = await startTestHttpServer({
    http: { publicUrl: 'https://files.example' },
    graphql: { graphiql: false },
    options: { consoleDirectory: '/nowhere/at/all' },
  })
})
afterAll(async () => {
  await server.close()
  await closed.close()
})

const get = (path: string, headers: Record<string, string> = {}, from = server) =>
  fetch(`${from.url}${path}`, { headers })
const html = { accept: 'text/html,application/xhtml+xml' }
const lastLine = (from = server) => JSON.parse(from.lines.at(-1) ?? '{}') as Record<string, unknown>

/** Sends bytes as they are, and reads until the server closes the connection. */
async function raw(bytes: string, from = server): Promise<string> {
  const socket = connect(from.port, '127.0.0.1')
  socket.write(bytes)
  return text(socket)
}

describe('the console', () => {
  it('is served for every page, and never cached', async () => {
    for (const path of ['/', '/files', '/files/trash?x=1', '/audit']) {
      const response = await get(path, html)
      expect([response.status, await response.text()]).toEqual([200, '<!doctype html><title>The console</title>'])
      expect(response.headers.get('cache-control')).toBe('no-cache')
      expect(response.headers.get('content-type')).toBe('text/html; charset=utf-8')
    }
  })

  it('has files that are cached forever, because their names change with their content', async () => {
    const response = await get('/assets/main-1a2b3c.js')
    expect(response.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    expect(response.headers.get('content-type')).toMatch(/javascript/)
  })

  it('is sent precompressed to clients that accept it', async () => {
    const compressed = await get('/assets/main-1a2b3c.js', { 'accept-encoding': 'br, gzip' })
    expect([compressed.headers.get('content-encoding'), await compressed.text()]).toEqual(['br', 'export {}'])
    expect(compressed.headers.get('content-type')).toMatch(/javascript/)
    expect(compressed.headers.get('cache-control')).toBe('public, max-age=31536000, immutable')
    const plain = await get('/assets/main-1a2b3c.js', { 'accept-encoding': 'identity' })
    expect([plain.headers.get('content-encoding'), await plain.text()]).toEqual([null, 'export {}'])
  })

  it('is not returned for a missing file', async () => {
    for (const path of ['/assets/gone.js', '/session', '/graphiql/x', '/assets/']) {
      expect((await get(path, html)).status).toBe(404)
    }
    const response = await get('/favicon.ico')
    expect([response.status, await response.json()]).toEqual([
      404,
      { code: 'NOT_FOUND', message: 'There is nothing here.' },
    ])
  })

  it.each(['/../package.json', '/..%2f..%2fetc/passwd', '/assets/%2e%2e/%2e%2e/etc/passwd', '/%5c..%5cx', '/.env'])(
    'serves no file outside its folder: %s',
    async (path) => {
      const answer = await raw(`GET ${path} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`)
      expect(answer).toMatch(/^HTTP\/1\.1 (400|404) /)
    },
  )

  it('reports that it is not built', async () => {
    const response = await get('/', html, closed)
    expect([response.status, await response.text()]).toEqual([
      200,
      '<!doctype html><title>Filegraph</title><p>The console is not built.',
    ])
  })
})

describe('GraphiQL', () => {
  it('has a page with only the permissions that its editor needs', async () => {
    const response = await get('/graphiql', html)
    expect(await response.text()).toContain('GraphiQL')
    const policy = response.headers.get('content-security-policy')
    expect(policy).toContain("style-src 'self' 'unsafe-inline'")
    expect(policy).toContain("script-src 'self';")
  })

  it('is missing when it is turned off', async () => {
    const off = await startTestHttpServer({ graphql: { graphiql: false } })
    for (const path of ['/graphiql', '/graphiql.html']) expect((await get(path, html, off)).status).toBe(404)
    await off.close()
  })
})

describe('every answer', () => {
  it('carries the security headers', async () => {
    for (const path of ['/', '/assets/main-1a2b3c.js', '/healthz', '/nothing', '/graphql', '/%E0%A4%A']) {
      const { headers } = await get(path)
      expect(headers.get('content-security-policy')).toBe(
        "default-src 'none';script-src 'self';style-src 'self';font-src 'self';" +
          "img-src 'self' data: blob: https://bucket.example;media-src 'self' blob: https://bucket.example;" +
          "connect-src 'self' https://bucket.example;frame-src 'self' https://bucket.example;manifest-src 'self';base-uri 'none';form-action 'self';" +
          "frame-ancestors 'none'",
      )
      expect(headers.get('x-frame-options')).toBe('DENY')
      expect(headers.get('cross-origin-resource-policy')).toBe('same-origin')
      expect(headers.get('x-content-type-options')).toBe('nosniff')
      expect(headers.get('referrer-policy')).toBe('no-referrer')
      expect(headers.get('permissions-policy')).toContain('camera=()')
      expect(headers.get('strict-transport-security')).toBeNull()
      expect(headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    }
  })

  it.each([
    ['https://files.example', 'max-age=31536000', 'same-origin'],
    ['https://files.example:8443', null, 'same-origin'],
    ['https://files.example/below', null, 'same-origin'],
    ['https://localhost', null, 'same-origin'],
    ['http://files.example', null, null],
    ['http://localhost:4000', null, 'same-origin'],
    [null, null, 'same-origin'],
  ])(
    'sends HSTS only if the host is ours, and isolates the page where browsers can (%s)',
    async (publicUrl, hsts, coop) => {
      const there = await startTestHttpServer({ http: { publicUrl } })
      const { headers } = await get('/', html, there)
      expect([headers.get('strict-transport-security'), headers.get('cross-origin-opener-policy')]).toEqual([
        hsts,
        coop,
      ])
      await there.close()
    },
  )

  it('carries the request id that was sent, if it is harmless', async () => {
    expect((await get('/healthz', { 'x-request-id': 'trace-1.a_B' })).headers.get('x-request-id')).toBe('trace-1.a_B')
    for (const bad of ['', 'a b', '<script>', 'x'.repeat(65), 'a"b']) {
      expect((await get('/healthz', { 'x-request-id': bad })).headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    }
  })
})

describe('health', () => {
  it('reports that the process is up, regardless of its parts', async () => {
    readiness = () => Promise.reject(new Error('a detail'))
    const response = await get('/healthz')
    expect([response.status, await response.json()]).toEqual([200, { status: 'ok' }])
  })

  it('reports what is not ready, without details, and recovers by itself', async () => {
    for (const away of [{ database: false }, { migrations: false }, { database: false, bucket: false }]) {
      readiness = async () => ({ ...ready, ...away })
      const partly = await get('/readyz')
      expect([partly.status, await partly.json()]).toEqual([503, { status: 'unavailable', ...ready, ...away }])
    }
    readiness = () => Promise.reject(new Error('a detail'))
    const failing = await get('/readyz')
    expect(failing.status).toBe(503)
    expect(await failing.text()).not.toContain('detail')
    readiness = async () => ready
    const fine = await get('/readyz')
    expect([fine.status, await fine.json()]).toEqual([200, { status: 'ready', ...ready }])
  })

  it('is degraded, and still ready, while the bucket is down', async () => {
    readiness = async () => ({ ...ready, bucket: false })
    const answer = await get('/readyz')
    expect([answer.status, await answer.json()]).toEqual([200, { status: 'degraded', ...ready, bucket: false }])
  })

  it('checks the parts once for concurrent requests, and waits at most 3 s', async () => {
    let asked = 0
    readiness = () => {
      asked += 1
      return new Promise(() => {})
    }
    const answers = await Promise.all(Array.from({ length: 5 }, () => get('/readyz')))
    expect(answers.map(({ status }) => status)).toEqual([503, 503, 503, 503, 503])
    expect(asked).toBe(1)
    readiness = async () => ready
    expect((await get('/readyz')).status).toBe(200)
  })
})

describe('the log', () => {
  it('has one line per request, without its query string', async () => {
    const before = server.lines.length
    await get('/graphql?query={hello}&secret=hunter2', { 'apollo-require-preflight': '1', 'x-request-id': 'r-1' })
    expect(server.lines.slice(before)).toHaveLength(1)
    expect(lastLine()).toMatchObject({ requestId: 'r-1', method: 'GET', path: '/graphql', status: 200 })
    expect(lastLine()).toHaveProperty('milliseconds')
  })

  it('names the caller', async () => {
    const { identity } = server
    const { apiKey, secret } = await createApiKey(identity.as('OWNER'), { name: 'K', role: 'VIEWER', expiresAt: null })
    await server.ask('{ hello }', { authorization: `Bearer ${secret}` })
    expect(lastLine()).toMatchObject({ principalId: apiKey.id, tenantId: identity.ada.id, status: 200 })
  })

  it('contains no secret in any case', async () => {
    const { identity } = server
    const { secret } = await createApiKey(identity.as('OWNER'), { name: 'K', role: 'VIEWER', expiresAt: null })
    const cookie = `filegraph_session=${'S'.repeat(43)}`
    const { database } = identity
    const { readOnce } = database
    const leaky = Object.assign(new Error(`boom ${secret}\nparams: ${secret}`), { headers: { cookie } })
    Object.assign(database, { readOnce: () => Promise.reject(leaky) })
    const failed = await server.ask('{ hello }', { authorization: `Bearer ${secret}` })
    Object.assign(database, { readOnce })
    await get(`/${secret}/x?X-Amz-Signature=${'f'.repeat(64)}`, { cookie, authorization: `Bearer ${secret}` })
    await server.ask('{ hello }', { cookie })
    await raw(`GET / HTTP/1.1\r\nauthorization: Bearer ${secret}\r\nbad header\r\n\r\n`)
    expect(failed.status).toBe(500)
    const { errors } = (await failed.json()) as { errors: [{ message: string; extensions: Record<string, string> }] }
    expect(errors[0]).toEqual({
      message: 'Something went wrong on our side.',
      extensions: { code: 'INTERNAL_SERVER_ERROR', requestId: failed.headers.get('x-request-id') },
    })
    const log = server.lines.join('')
    expect(log).toContain('boom fgk_[redacted]')
    for (const hidden of [secret.slice(4), secret.slice(-43), 'S'.repeat(43), 'f'.repeat(64), 'hunter2']) {
      expect(log).not.toContain(hidden)
    }
  })
})

describe('a client that sends invalid requests', () => {
  it('gets an answer and nothing more', async () => {
    expect(await raw('nonsense\r\n\r\n')).toMatch(/^HTTP\/1\.1 400 /)
    expect(await raw(`GET / HTTP/1.1\r\nhost: x\r\nx: ${'y'.repeat(20_000)}\r\n\r\n`)).toMatch(/^HTTP\/1\.1 431 /)
    const bad = await get('/%E0%A4%A')
    expect([bad.status, await bad.json()]).toEqual([
      400,
      { code: 'BAD_REQUEST', message: 'The request could not be read.' },
    ])
    expect((await get('/healthz')).status).toBe(200)
  })

  it('that is slow is timed out', async () => {
    expect(server.app.server.headersTimeout).toBe(10_000)
    const hasty = await startTestHttpServer({ options: { requestMs: 200 } })
    const head = 'POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n'
    const began = performance.now()
    expect(await raw(`${head}{`, hasty)).toMatch(/^HTTP\/1\.1 408 [^]*connection: close/i)
    expect(performance.now() - began).toBeGreaterThan(190)
    expect((await get('/healthz', {}, hasty)).status).toBe(200)
    await hasty.close()
  })

  it('that expects 100 Continue gets it', async () => {
    const body = '{"query":"{ hello }"}'
    const head = `POST /graphql HTTP/1.1\r\nhost: x\r\nconnection: close\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\nexpect: 100-continue\r\n\r\n`
    expect(await raw(`${head}${body}`)).toMatch(/^HTTP\/1\.1 100 Continue\r\n\r\nHTTP\/1\.1 200 OK[^]*world/)
  })
})

describe('shutting down', () => {
  it('begins with a drain: it is not ready, answers everything else, and ends each connection', async () => {
    let isDraining = false
    const leaving = await startTestHttpServer({ options: { isDraining: () => isDraining } })
    const facts = async (path: string) => {
      const answer = await get(path, {}, leaving)
      return [answer.status, answer.headers.get('connection')]
    }
    expect([await facts('/readyz'), await facts('/healthz')]).toEqual([
      [200, 'keep-alive'],
      [200, 'keep-alive'],
    ])
    isDraining = true
    expect([await facts('/readyz'), await facts('/healthz'), await facts('/nothing')]).toEqual([
      [503, 'close'],
      [200, 'close'],
      [404, 'close'],
    ])
    const asked = await leaving.ask('{ hello }')
    expect([await asked.json(), asked.headers.get('connection')]).toEqual([{ data: { hello: 'world' } }, 'close'])
    await leaving.close()
  })

  it('finishes the request in flight, accepts no other, and does not wait for idle connections', async () => {
    const leaving = await startTestHttpServer()
    expect((await get('/healthz', {}, leaving)).status).toBe(200)
    const slow = leaving.ask('{ slow }')
    await leaving.slowBegan
    const closing = leaving.app.close()
    await expect
      .poll(() =>
        get('/healthz', {}, leaving).then(
          () => 'open',
          () => 'refused',
        ),
      )
      .toBe('refused')
    leaving.release()
    const response = await slow
    expect(await response.json()).toEqual({ data: { slow: 'done' } })
    expect(response.headers.get('connection')).toBe('close')
    await closing
    await leaving.close()
  })

  it('closes hanging connections at its deadline', async () => {
    const leaving = await startTestHttpServer({ options: { closeWithinMs: 200 } })
    const slow = leaving.ask('{ slow }').catch(() => 'cut off')
    await leaving.slowBegan
    await leaving.app.close()
    expect(await slow).toBe('cut off')
    leaving.release()
    await leaving.close()
  })
})
