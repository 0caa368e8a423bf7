import { request } from 'node:http'
import { brotliDecompressSync, gunzipSync } from 'node:zlib'
import { serverAudits } from 'graphql-http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestHttpServer, type TestHttpServer } from '../../test/testHttpServer.ts'
import { createApiKey } from '../domain/identity/keys/apiKeys.ts'

let server: TestHttpServer
let limited: TestHttpServer
let allowing: TestHttpServer
beforeAll(async () => {
  server = await startTestHttpServer()
  limited = await startTestHttpServer({ rateLimit: { operationsPerMinute: 5 } })
  allowing = await startTestHttpServer({ http: { allowedOrigins: ['https://app.example'] } })
})
afterAll(async () => {
  await server.close()
  await limited.close()
  await allowing.close()
})

const post = (to: TestHttpServer, body: string, headers: Record<string, string> = {}) =>
  fetch(`${to.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body })

describe('GraphQL over HTTP', () => {
  const audits = serverAudits({ url: () => `${server.url}/graphql`, fetchFn: fetch })

  it.each(audits.filter(({ name }) => name.startsWith('MUST')).map((audit) => [audit.name, audit] as const))(
    '%s',
    async (_, audit) => {
      const result = await audit.fn()
      expect('reason' in result ? result.reason : result.status).toBe('ok')
    },
  )

  it('answers anonymous requests for the schema', async () => {
    const response = await server.ask('{ __typename hello }')
    expect(await response.json()).toEqual({ data: { __typename: 'Query', hello: 'world' } })
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it('answers in the media type of the specification on request', async () => {
    const response = await server.ask('{ hello }', { accept: 'application/graphql-response+json' })
    expect(response.headers.get('content-type')).toMatch(/^application\/graphql-response\+json/)
  })

  it.each([
    ['no JSON', '{"query":', 400],
    ['nothing', '', 400],
    ['JSON without a query', '{}', 400],
    ['a list of operations', '[{"query":"{hello}"}]', 400],
    ['a prototype', '{"query":"{hello}","__proto__":{"a":1}}', 400],
    ['more than 256 KiB', JSON.stringify({ query: `{hello} #${'x'.repeat(256 * 1024)}` }), 413],
  ])('refuses %s with GraphQL errors', async (_, body, status) => {
    const response = await post(server, body)
    expect(response.status).toBe(status)
    const { errors } = (await response.json()) as { errors: { message: string; extensions: { code: string } }[] }
    expect(errors).toHaveLength(1)
    expect(errors[0]?.extensions.code).toMatch(/^[A-Z_]+$/)
    expect(JSON.stringify(errors)).not.toMatch(/262144|stack|FST_|node_modules/)
  })

  it('refuses other media types and methods', async () => {
    expect((await post(server, 'query={hello}', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(
      415,
    )
    const deletion = await fetch(`${server.url}/graphql`, { method: 'DELETE' })
    expect([deletion.status, deletion.headers.get('allow')]).toEqual([405, 'GET, POST'])
    expect(await deletion.json()).toMatchObject({ errors: [{ extensions: { code: 'METHOD_NOT_ALLOWED' } }] })
  })

  it('serves no landing page', async () => {
    const response = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html' } })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] })
  })
})

describe('a body without a declared length', () => {
  const encoder = new TextEncoder()
  const piece = `{"query":"{ hello }","extensions":{"padding":"${'x'.repeat(4_000)}"}}`.padEnd(8_192)

  function send(pieces: number, headers: Record<string, string> = {}) {
    let sent = 0
    const body = new ReadableStream<Uint8Array>({
      pull(controller) {
        // White space after the JSON text.
        controller.enqueue(encoder.encode(sent === 0 ? piece : ' '.repeat(8_192)))
        sent += 1
        if (sent === pieces) controller.close()
      },
    })
    const sentHeaders = { 'content-type': 'application/json', ...headers }
    return fetch(`${server.url}/graphql`, { method: 'POST', headers: sentHeaders, body, duplex: 'half' })
  }

  it('is limited while it arrives, as one with a length is', async () => {
    expect((await send(2)).status).toBe(200)
    const refused = await send(3)
    expect([refused.status, refused.headers.get('connection')]).toEqual([413, 'close'])
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'PAYLOAD_TOO_LARGE' } }] })
  })

  it('can be larger with credentials', async () => {
    const { secret: key } = await createApiKey(server.identity.as('OWNER'), {
      name: 'K',
      role: 'VIEWER',
      expiresAt: null,
    })
    expect((await send(20, { authorization: `Bearer ${key}` })).status).toBe(200)
    expect((await send(33, { authorization: `Bearer ${key}` })).status).toBe(413)
  })
})

describe('a body of many parts', () => {
  it.each([
    ['lists in lists', (parts: number) => `${'['.repeat(parts)}${']'.repeat(parts)}`],
    ['lists beside lists', (parts: number) => `[${'[],'.repeat(parts / 2)}[]]`],
    ['objects', (parts: number) => `[${'{},'.repeat(parts / 2)}{}]`],
    ['numbers', (parts: number) => `[${'1,'.repeat(parts)}1]`],
  ])('is refused before it is parsed: %s', async (_, write) => {
    const body = (parts: number) => `{"query":"{ hello }","extensions":{"x":${write(parts)}}}`
    expect((await post(server, body(2_500))).status).toBe(200)
    const refused = await post(server, body(3_001))
    expect(refused.status).toBe(400)
    expect(await refused.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_USER_INPUT' } }] })
  })

  it('is distinguished from a string with the same characters', async () => {
    const body = JSON.stringify({ query: '{ hello }', extensions: { x: '"[{,\\'.repeat(1_500) } })
    expect((await post(server, body)).status).toBe(200)
  })
})

describe('the rate limit', () => {
  it('allows a number of operations a minute, then asks to wait', async () => {
    for (let n = 0; n < 5; n += 1) expect((await limited.ask('{ hello }')).status).toBe(200)
    const response = await limited.ask('{ hello }')
    expect(response.status).toBe(429)
    expect(response.headers.get('retry-after')).toBe('12')
    expect(await response.json()).toEqual({
      errors: [{ message: 'Too many requests. Please wait a moment.', extensions: { code: 'RATE_LIMITED' } }],
    })
    limited.identity.clock.now = new Date(limited.identity.now().getTime() + 60_000)
    const operation = { query: '{ hello }' }
    // A batch is refused, and each operation in it counts.
    expect((await post(limited, JSON.stringify([operation, operation, operation, operation]))).status).toBe(400)
    expect((await limited.ask('{ hello }')).status).toBe(200)
    expect((await limited.ask('{ hello }')).status).toBe(429)
  })
})

describe('compression', () => {
  const long = `{ ${Array.from({ length: 80 }, (_, n) => `answer${n}: hello`).join(' ')} }`

  /** Past `fetch`, which unpacks by itself. */
  const ask = (query: string, acceptEncoding: string | undefined, method = 'POST') =>
    new Promise<{ encoding: string | undefined; vary: string | undefined; bytes: Buffer }>((resolve, reject) => {
      const headers = {
        'content-type': 'application/json',
        ...(acceptEncoding !== undefined && { 'accept-encoding': acceptEncoding }),
      }
      const sent = request(`${server.url}/graphql`, { method, headers }, (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.on('end', () => {
          const { 'content-encoding': encoding, vary } = answer.headers
          resolve({ encoding, vary, bytes: Buffer.concat(parts) })
        })
      })
      sent.on('error', reject)
      sent.end(JSON.stringify({ query }))
    })

  it.each([
    ['br', 'br', brotliDecompressSync],
    ['gzip', 'gzip', gunzipSync],
    ['gzip, deflate, br, zstd', 'br', brotliDecompressSync],
    ['gzip;q=1.0, br;q=0', 'gzip', gunzipSync],
    ['*', 'gzip', gunzipSync],
  ] as const)('compresses a response above 1 kB for clients that accept %s', async (accepted, encoding, unpack) => {
    const plain = await ask(long, undefined)
    const packed = await ask(long, accepted)
    expect(plain.encoding).toBeUndefined()
    expect(packed.encoding).toBe(encoding)
    expect(packed.vary).toMatch(/accept-encoding/i)
    expect(unpack(packed.bytes).toString()).toBe(plain.bytes.toString())
    expect(packed.bytes.length).toBeLessThan(plain.bytes.length / 3)
  })

  it.each([
    ['a short answer', '{ hello }', 'br, gzip'],
    ['a response to clients that accept none', long, 'identity'],
    ['a response to clients that refuse all', long, 'br;q=0, gzip;q=0'],
  ])('leaves %s unchanged', async (_, query, accepted) => {
    const { encoding, bytes } = await ask(query, accepted)
    expect(encoding).toBeUndefined()
    expect(JSON.parse(bytes.toString())).toHaveProperty('data')
  })
})

describe('CORS', () => {
  it('allows the headers of common clients and tracers', async () => {
    const wanted =
      'authorization,content-type,apollographql-client-name,apollographql-client-version,graphql-require-preflight,' +
      'traceparent,tracestate,baggage,sentry-trace,x-filegraph-tenant'
    const answer = await fetch(`${allowing.url}/graphql`, {
      method: 'OPTIONS',
      headers: {
        origin: 'https://app.example',
        'access-control-request-method': 'POST',
        'access-control-request-headers': wanted,
      },
    })
    const allowed = (answer.headers.get('access-control-allow-headers') ?? '').toLowerCase().split(/,\s*/)
    expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.example')
    expect(wanted.split(',').filter((name) => !allowed.includes(name))).toEqual([])
  })
})
