import { networkInterfaces } from 'node:os'
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest'
import {
  type AddressedProduct,
  adaSignIn,
  ask,
  openAddressedProduct,
  type Route,
  sendAlong,
  type ServedApi,
  uploadAt,
} from './addressedProduct.ts'

let product: AddressedProduct
let served: ServedApi[] = []

beforeAll(async () => {
  product = await openAddressedProduct()
})
afterEach(async () => {
  await Promise.all(served.map((api) => api.close()))
  served = []
})
afterAll(async () => {
  await product.close()
  expect(product.lines.filter((line) => /X-Amz-Signature|"level":"error"/.test(line))).toEqual([])
})

async function serve(environment: Record<string, string> = {}): Promise<ServedApi> {
  const api = await product.serve(environment)
  served.push(api)
  return api
}

const list = '{ files(first: 1) { nodes { downloadUrl } } }'

/** Signs in, uploads and downloads as a browser at `base` does, and holds that every URL begins with `base`. */
async function walk(base: string, route: Route): Promise<{ cookie: string; put: string; get: string }> {
  const send = sendAlong(route)
  const origin = new URL(base).origin
  const page = await send(`${base}/`, { headers: { accept: 'text/html' } })
  expect(page.status).toBe(200)
  const headers = { 'content-type': 'application/json', origin }
  const session = await send(`${base}/session`, { method: 'POST', headers, body: JSON.stringify(adaSignIn) })
  expect(session.status).toBe(204)
  const cookie = session.headers['set-cookie']?.[0] ?? ''
  const asked = await send(`${base}/graphql`, {
    method: 'POST',
    headers: { ...headers, cookie: cookie.split(';')[0] ?? '', 'x-filegraph-tenant': 'acme' },
    body: JSON.stringify({ query: '{ viewer { principal { name } } }' }),
  })
  expect(JSON.parse(asked.text)).toEqual({ data: { viewer: { principal: { name: 'Ada' } } } })
  const { put, get } = await uploadAt(send, base, product.key)
  for (const url of [put, get]) expect(url.startsWith(`${base}/bucket/filegraph/org/`)).toBe(true)
  const download = await send(get)
  expect([download.status, download.text]).toEqual([200, 'Hello'])
  const again = await send(put, {
    method: 'PUT',
    headers: { 'content-type': 'text/plain', 'if-none-match': '*' },
    body: 'Hello',
  })
  expect(again.code).toBe('PreconditionFailed')
  return { cookie, put, get }
}

const addresses = Object.values(networkInterfaces()).flatMap((each = []) => each)
const hasIpv6 = addresses.some(({ address }) => address === '::1')
const outside = addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.1'

type Place = [host: string, name: string, address: string]
const ipv6Places: Place[] = [
  ['::1', '[::1]', '[::1]'],
  ['[::1]', 'localhost', '[::1]'],
  ['::', '[::1]', '[::1]'],
  ['::', outside, outside],
]
const places: Place[] = [
  ['127.0.0.1', '127.0.0.1', '127.0.0.1'],
  ['127.0.0.1', 'localhost', '127.0.0.1'],
  ['0.0.0.0', outside, outside],
  ['0.0.0.0', 'files.lan', outside],
  [outside, outside, outside],
  ...(hasIpv6 ? ipv6Places : []),
]

describe('without a public URL, signed URLs have the address of the client', () => {
  it.each(places)('HOST=%s opened as http://%s', async (host, name, address) => {
    const { port } = await serve({ HOST: host })
    const { cookie } = await walk(`http://${name}:${port}`, { address: `http://${address}:${port}` })
    expect(cookie).toMatch(/^filegraph_session=[\w-]{43}; Max-Age=\d+; Path=\/; HttpOnly; SameSite=Strict$/)
  })

  it('returns no URL with a host that somebody else named', async () => {
    const { port } = await serve()
    const address = `http://127.0.0.1:${port}`
    const evil = sendAlong({ address, headersOf: () => ({ host: 'evil.example' }) })
    const { files } = await ask(evil, address, product.key, list)
    expect(files.nodes[0].downloadUrl).toMatch(/^http:\/\/evil\.example\/bucket\//)
    const own = await ask(sendAlong({ address }), address, product.key, list)
    expect(own.files.nodes[0].downloadUrl.startsWith(`${address}/bucket/`)).toBe(true)
  })

  it.each([
    'a b',
    'a/b',
    'user@host',
    'host:port',
    '[::1',
    '"',
    'a#b',
    'a?b',
    '%41',
    'http://a',
    '[:::::]',
    '1.2.3.4.5:99999',
  ])('refuses the host %s', async (host) => {
    const { port } = await serve()
    const address = `http://127.0.0.1:${port}`
    const headers = { host, 'content-type': 'application/json', authorization: `Bearer ${product.key}` }
    const answer = await sendAlong({ address, headersOf: () => headers })(`${address}/graphql`, {
      method: 'POST',
      body: JSON.stringify({ query: list }),
    })
    expect(answer.status).toBe(400)
    expect(answer.text).not.toContain('bucket')
  })

  it('uses x-forwarded-host and x-forwarded-proto only with TRUST_PROXY', async () => {
    const headersOf = () => ({
      'x-forwarded-host': 'files.example.test',
      'x-forwarded-proto': 'https',
      'x-forwarded-for': '203.0.113.9',
    })
    const trusting = await serve({ TRUST_PROXY: 'true' })
    const base = 'https://files.example.test'
    const address = `http://127.0.0.1:${trusting.port}`
    const { cookie } = await walk(base, {
      address,
      headersOf: () => ({ ...headersOf(), host: `127.0.0.1:${trusting.port}` }),
    })
    expect(cookie).toMatch(/^__Host-filegraph_session=.*; Path=\/; HttpOnly; Secure; SameSite=Strict$/)
    const doubtful = await serve()
    const own = `http://127.0.0.1:${doubtful.port}`
    const { files } = await ask(sendAlong({ address: own, headersOf }), own, product.key, list)
    expect(files.nodes[0].downloadUrl.startsWith(own)).toBe(true)
  })
})

describe('with a public URL', () => {
  const kept = (url: URL) => ({ host: url.host })
  const rewritten = () => ({ host: '127.0.0.1:4000' })
  const whole = (url: URL) => `${url.pathname}${url.search}`
  const stripped = (url: URL) => `${url.pathname.replace(/^\/files(?=\/)/, '')}${url.search}`

  it.each([
    ['https://files.example.test', kept, whole, '__Host-filegraph_session', '/'],
    ['https://files.example.test', rewritten, whole, '__Host-filegraph_session', '/'],
    ['https://files.example.test:8443', rewritten, whole, '__Host-filegraph_session', '/'],
    ['https://files.example.test:8443', () => ({ host: 'files.example.test' }), whole, '__Host-filegraph_session', '/'],
    ['http://files.lan:8080', rewritten, whole, 'filegraph_session', '/'],
    ['https://example.test/files', kept, whole, '__Secure-filegraph_session', '/files'],
    ['https://example.test/files', rewritten, whole, '__Secure-filegraph_session', '/files'],
    ['https://example.test/files', kept, stripped, '__Secure-filegraph_session', '/files'],
    ['https://example.test/files', rewritten, stripped, '__Secure-filegraph_session', '/files'],
    ['https://[fd00::7]:8443/a/b.c', kept, whole, '__Secure-filegraph_session', '/a/b.c'],
  ] as const)(
    '%s, for any change of host and path by the proxy (%#)',
    async (base, headersOf, targetOf, name, path) => {
      const { port } = await serve({ PUBLIC_URL: `${base}/`, HOST: '127.0.0.1' })
      const { cookie } = await walk(base, { address: `http://127.0.0.1:${port}`, headersOf, targetOf })
      expect(cookie.startsWith(`${name}=`)).toBe(true)
      expect(cookie).toContain(`; Path=${path};`)
      expect(cookie.includes('; Secure')).toBe(base.startsWith('https:'))
    },
  )

  it('signs for it for every caller, and accepts no signature for another host', async () => {
    const { port } = await serve({ PUBLIC_URL: 'https://files.example.test' })
    const address = `http://127.0.0.1:${port}`
    const send = sendAlong({ address, headersOf: () => ({ host: 'evil.example', 'x-forwarded-host': 'evil.example' }) })
    const { files } = await ask(send, address, product.key, list)
    const url: string = files.nodes[0].downloadUrl
    expect(url.startsWith('https://files.example.test/bucket/')).toBe(true)
    const other = await serve({ PUBLIC_URL: 'https://other.example.test' })
    const elsewhere = await sendAlong({ address: `http://127.0.0.1:${other.port}` })(url.replace('files.', 'third.'))
    expect(elsewhere.code).toBe('SignatureDoesNotMatch')
  })

  it('refuses a sign-in from the same host under another scheme, and from another site', async () => {
    const { port } = await serve({ PUBLIC_URL: 'https://files.example.test' })
    const send = sendAlong({ address: `http://127.0.0.1:${port}` })
    for (const origin of [
      'http://files.example.test',
      'https://evil.example',
      'https://files.example.test:8443',
      'null',
    ]) {
      const headers = { 'content-type': 'application/json', origin }
      const answer = await send('https://files.example.test/session', {
        method: 'POST',
        headers,
        body: JSON.stringify(adaSignIn),
      })
      expect([origin, answer.status]).toEqual([origin, 403])
    }
  })
})

it('accepts URLs that were signed before a restart', async () => {
  const first = await product.serve()
  const base = `http://127.0.0.1:${first.port}`
  const send = sendAlong({ address: base })
  const { get } = await uploadAt(send, base, product.key)
  await first.close()
  await serve({ PORT: String(first.port) })
  expect((await send(get)).text).toBe('Hello')
})
