import { serverAudits } from 'graphql-http'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { startTestHttpServer, type TestHttpServer } from '../../test/testHttpServer.ts'

let server: TestHttpServer
let limited: TestHttpServer
beforeAll(async () => {
  server = await startTestHttpServer()
  limited = await startTestHttpServer({ rateLimit: { operationsPerMinute: 5 } })
})
afterAll(async () => {
  await server.close()
  await limited.close()
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

  it('answers nobody for what is no secret', async () => {
    const response = await server.ask('{ __typename hello }')
    expect(await response.json()).toEqual({ data: { __typename: 'Query', hello: 'world' } })
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it('answers in the media type of the specification when it is asked for', async () => {
    const response = await server.ask('{ hello }', { accept: 'application/graphql-response+json' })
    expect(response.headers.get('content-type')).toMatch(/^application\/graphql-response\+json/)
  })

  it.each([
    ['no JSON', '{"query":', 400],
    ['nothing', '', 400],
    ['JSON without a query', '{}', 400],
    ['a list of operations', '[{"query":"{hello}"}]', 400],
    ['a prototype', '{"query":"{hello}","__proto__":{"a":1}}', 400],
    ['more than 1 MiB', JSON.stringify({ query: `{hello} #${'x'.repeat(1024 * 1024)}` }), 413],
  ])('refuses %s in the form of GraphQL errors', async (_, body, status) => {
    const response = await post(server, body)
    expect(response.status).toBe(status)
    const { errors } = (await response.json()) as { errors: { message: string; extensions: { code: string } }[] }
    expect(errors).toHaveLength(1)
    expect(errors[0]?.extensions.code).toMatch(/^[A-Z_]+$/)
    expect(JSON.stringify(errors)).not.toMatch(/1048576|stack|FST_|node_modules/)
  })

  it('refuses other media types and methods', async () => {
    expect((await post(server, 'query={hello}', { 'content-type': 'application/x-www-form-urlencoded' })).status).toBe(
      415,
    )
    const deletion = await fetch(`${server.url}/graphql`, { method: 'DELETE' })
    expect([deletion.status, deletion.headers.get('allow')]).toEqual([405, 'GET, POST'])
    expect(await deletion.json()).toMatchObject({ errors: [{ extensions: { code: 'METHOD_NOT_ALLOWED' } }] })
  })

  it('shows no page of its own to a browser', async () => {
    const response = await fetch(`${server.url}/graphql`, { headers: { accept: 'text/html' } })
    expect(response.status).toBe(400)
    expect(await response.json()).toMatchObject({ errors: [{ extensions: { code: 'BAD_REQUEST' } }] })
  })
})

describe('the rate limit', () => {
  it('lets so many operations pass a minute, then asks to wait', async () => {
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
