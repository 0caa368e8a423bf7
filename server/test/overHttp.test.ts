import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { serverAudits } from 'graphql-http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readConfig } from '../src/config/config.ts'
import { systemPrincipal } from '../src/domain/context.ts'
import { createApiKey } from '../src/domain/identity/keys/apiKeys.ts'
import { createUser } from '../src/domain/identity/people/createUser.ts'
import { usualCleanup } from '../src/domain/sweeps/runs/settings.ts'
import { createTenant } from '../src/domain/tenants/createTenant.ts'
import { startLocalBucket } from '../src/embedded/bucket/startLocalBucket.ts'
import { freePort } from '../src/embedded/postgres/freePort.ts'
import { createLogger } from '../src/http/createLogger.ts'
import { startApi } from '../src/run/api.ts'
import { externalClientBucket } from '../src/run/clientBucket.ts'
import { openBackends, type Backends } from '../src/run/openBackends.ts'
import { startTcpProxy, type TcpProxy } from './tcpProxy.ts'
import { createTestDatabase, type TestDatabase } from './testDatabase.ts'

let database: TestDatabase
let door: TcpProxy
let backends: Backends
let stop: () => Promise<void>
let base: string
let key: string
const log: string[] = []

beforeAll(async () => {
  database = await createTestDatabase()
  const { hostname, port } = new URL(database.url)
  door = await startTcpProxy({ host: hostname, port: Number(port) })
  const url = new URL(database.url)
  url.port = String(door.port)
  const folder = mkdtempSync(join(tmpdir(), 'filegraph-over-http-'))
  const keys = { region: 'us-east-1', accessKeyId: 'TESTKEY', secretAccessKey: 'test-secret-of-the-bucket' }
  const bucket = await startLocalBucket({ directory: folder, bucket: 'files', ...keys })
  const bucketOptions = { endpoint: bucket.endpoint, bucket: 'files', forcePathStyle: true, ...keys }
  backends = openBackends({
    databaseUrl: url.href,
    ownerUrl: database.superuserUrl,
    bucket: bucketOptions,
    logger: createLogger({ level: 'trace', destination: { write: (line) => void log.push(line) } }),
    poolSize: 5,
    applicationName: 'over http',
    cleanup: usualCleanup,
  })
  const config = readConfig({ PORT: String(await freePort(null)) })
  const api = await startApi(backends, config, externalClientBucket(backends.blobs, bucketOptions))
  base = `http://127.0.0.1:${config.http.port}`
  const tenant = await createTenant(backends, { slug: 'acme', name: 'Acme' })
  const origin = { requestId: null, address: null, userAgent: null }
  const ctx = { ...backends, origin, principal: systemPrincipal(tenant.id) }
  key = (await createApiKey(ctx, { name: 'test', role: 'OWNER', expiresAt: null })).secret
  await createUser(backends, {
    tenantSlug: 'acme',
    email: 'ada@acme.example',
    name: 'Ada',
    password: 'password of ada',
    role: 'OWNER',
  })
  stop = async () => {
    await api.close()
    await backends.close()
    await bucket.close()
    await door.close()
    await database.drop()
    rmSync(folder, { recursive: true, force: true })
  }
})

afterAll(async () => {
  await stop()
  // Whatever happened above: no signature, key, token or password in any line. A key ends in 32 bytes of base64url.
  const secrets = [key, key.slice(-43), 'password of ada', 'test-secret-of-the-bucket']
  expect(
    log.filter((line) => /X-Amz-(Signature|Credential)/i.test(line) || secrets.some((secret) => line.includes(secret))),
  ).toEqual([])
  expect(log.length).toBeGreaterThan(10)
})

const ask = (query: string, headers: Record<string, string> = {}) =>
  fetch(`${base}/graphql`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${key}`, ...headers },
    body: JSON.stringify({ query }),
  })

describe('the product over HTTP', () => {
  it.each(
    serverAudits({ url: () => `${base}/graphql`, fetchFn: fetch })
      .filter(({ name }) => name.startsWith('MUST'))
      .map((audit) => [audit.name, audit] as const),
  )('%s', async (_name, audit) => {
    const result = await audit.fn()
    expect('reason' in result ? result.reason : result.status).toBe('ok')
  })

  it.each([
    ['too many aliases', `{ ${Array.from({ length: 101 }, (_, at) => `a${at}: __typename`).join(' ')} }`],
    ['a field 500 times', `{ ${'__typename '.repeat(500)} }`],
    ['depth 200', `{ uploadIntent(id: "x") ${'{ file '.repeat(200)} { id } ${'}'.repeat(200)} }`],
    ['more tokens than a person writes', `{ ${'__typename '.repeat(20_000)} }`],
    ['pages of pages', '{ files(first: 100) { nodes { versions(first: 100) { nodes { id number } } } } }'],
  ])('refuses %s with 4xx and names no limit', async (_name, query) => {
    const response = await ask(query)
    expect(response.status).toBe(400)
    const { errors } = (await response.json()) as { errors: { message: string; extensions: Record<string, unknown> }[] }
    expect(errors[0]?.message).not.toMatch(/\d{2,}/)
    expect(Object.keys(errors[0]?.extensions ?? {})).toEqual(['code'])
  })

  it('refuses a page too large with 400 and names the limits', async () => {
    const response = await ask('{ files(first: 1000000000) { nodes { id } } }')
    const { errors } = (await response.json()) as { errors: { message: string; extensions: { code: string } }[] }
    expect([response.status, errors[0]?.extensions.code]).toEqual([400, 'BAD_USER_INPUT'])
    expect(errors[0]?.message).toContain('100')
  })

  it('supports sign-in, reading and sign-out with a session', async () => {
    const headers = { 'content-type': 'application/json', 'x-filegraph-csrf': '1' }
    const body = JSON.stringify({ email: ' ADA@acme.example ', password: 'password of ada' })
    const signedIn = await fetch(`${base}/session`, { method: 'POST', headers, body })
    expect(signedIn.status).toBe(204)
    const cookie = signedIn.headers.get('set-cookie')?.split(';')[0] ?? ''
    const viewer = () =>
      fetch(`${base}/graphql`, {
        method: 'POST',
        headers: { ...headers, cookie },
        body: JSON.stringify({ query: '{ viewer { principal { name } } }' }),
      })
    expect(await (await viewer()).json()).toEqual({ data: { viewer: { principal: { name: 'Ada' } } } })
    expect(
      (await fetch(`${base}/session`, { method: 'DELETE', headers: { 'x-filegraph-csrf': '1', cookie } })).status,
    ).toBe(204)
    expect((await viewer()).status).toBe(401)
  })
})

describe('while the database is down', () => {
  it('answers 503 from everything that needs it, without details, and recovers without a restart', async () => {
    expect((await fetch(`${base}/readyz`)).status).toBe(200)
    door.shut()
    const away = await ask('{ files { nodes { id } } }')
    expect([away.status, away.headers.get('retry-after')]).toEqual([503, '1'])
    const text = await away.text()
    expect(JSON.parse(text).errors[0].extensions.code).toBe('SERVICE_UNAVAILABLE')
    expect(text).not.toMatch(/select|ECONN|postgres|CONNECTION/i)
    expect((await fetch(`${base}/readyz`)).status).toBe(503)
    expect((await fetch(`${base}/healthz`)).status).toBe(200)
    door.open()
    expect((await ask('{ files { nodes { id } } }')).status).toBe(200)
    expect((await fetch(`${base}/readyz`)).status).toBe(200)
  })
})
