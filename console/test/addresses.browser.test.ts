import { readFile } from 'node:fs/promises'
import { networkInterfaces } from 'node:os'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onPage, openBrowser } from './openBrowser.ts'
import { type Instance, startFilegraph } from './startFilegraph.ts'
import { startTlsProxy, type TlsProxy } from './startTlsProxy.ts'
import { rowOf, signIn } from './walk.ts'

// This machine cannot resolve them: only the browser is told where they lead.
const names = ['files.example.test', 'example.test', 'files.lan']
const lan = Object.values(networkInterfaces())
  .flatMap((addresses = []) => addresses)
  .find(({ internal, family }) => !internal && family === 'IPv4')?.address

let browser: Browser
let proxies: TlsProxy[] = []
let instances: Instance[] = []

beforeAll(async () => {
  const resolving = names.map((name) => `MAP ${name} 127.0.0.1`).join(', ')
  ;[browser, ...proxies] = await Promise.all([
    openBrowser(['--ignore-certificate-errors', `--host-resolver-rules=${resolving}`]),
    startTlsProxy(names),
    startTlsProxy(names),
  ])
  const [whole, below] = proxies
  instances = await Promise.all([
    startFilegraph({ HOST: '::' }),
    startFilegraph({ PUBLIC_URL: `https://files.example.test:${whole?.port}`, TRUST_PROXY: 'true' }),
    startFilegraph({ PUBLIC_URL: `https://example.test:${below?.port}/files/`, TRUST_PROXY: 'true' }),
  ])
  whole?.passTo(portOf(instances[1]))
  below?.passTo(portOf(instances[2]))
}, 240_000)

afterAll(async () => {
  await browser?.close()
  await Promise.all([...proxies.map((proxy) => proxy.close()), ...instances.map((instance) => instance.stop())])
})

const portOf = (instance?: Instance) => Number(new URL(instance?.url ?? '').port)
const content = Buffer.from('These bytes went up and came down.\n')

/** Signs in, uploads, downloads and asks in GraphiQL, and holds that the browser spoke with one origin. */
async function walk(page: Page, url: string, label: string): Promise<void> {
  const origins = new Set<string>()
  const refused: string[] = []
  page.context().on('request', (request) => void origins.add(new URL(request.url()).origin))
  page.context().on('requestfailed', (request) => void refused.push(`${request.method()} ${request.url()}`))
  await signIn(page, url, 'ada@acme.example')
  expect(page.url().startsWith(`${url}/t/acme/files`)).toBe(true)
  const name = `address ${label}.txt`
  const chooser = page.waitForEvent('filechooser')
  await page.getByRole('button', { name: 'Upload', exact: true }).click()
  await (await chooser).setFiles({ name, mimeType: 'text/plain', buffer: content })
  await page.getByRole('region', { name: 'Uploads' }).getByText('1 file uploaded').waitFor()
  await rowOf(page, name).waitFor()
  const started = page.waitForEvent('download')
  await page.getByRole('button', { name: `Download ${name}` }).click()
  expect(await readFile(await (await started).path())).toEqual(content)
  // A page that is opened by its own address, and not by a way through the console.
  await page.goto(`${url}/t/acme/trash`)
  await page.getByRole('heading', { name: 'Trash', exact: true }).waitFor()
  await askInGraphiql(page, url)
  expect([...origins]).toEqual([new URL(url).origin])
  // A download leaves the page by a navigation that the browser gives up.
  expect(refused.filter((line) => !line.includes('/bucket/'))).toEqual([])
}

async function askInGraphiql(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/graphiql`)
  await page.getByRole('button', { name: /Execute query/ }).click()
  await page.locator('.result-window').getByText('downloadUrl').first().waitFor()
  await page.getByRole('link', { name: 'Filegraph' }).click()
  await page.getByRole('heading', { name: 'Files', exact: true }).waitFor()
}

const hosts: [label: string, host: string, locale: string][] = [
  ['IPv4 on loopback', '127.0.0.1', 'en-US'],
  ['an IPv6 literal', '[::1]', 'en-US'],
  ['a name of the local network', 'files.lan', 'ar-EG'],
]
if (lan !== undefined) hosts.push(['an address of the local network', lan, 'de-DE'])

test.each(hosts)(
  '%s works for signing in, uploading, downloading and GraphiQL',
  async (label, host, locale) => {
    await onPage(browser, { locale }, (page) => walk(page, `http://${host}:${portOf(instances[0])}`, label))
  },
  90_000,
)

test.each([
  ['keeps', true],
  ['rewrites', false],
])(
  'a TLS proxy that %s the host is enough for a name that the machine cannot resolve',
  async (label, keepsHost) => {
    const [proxy] = proxies
    if (!proxy) throw new Error('There is no proxy')
    proxy.manners.keepsHost = keepsHost
    await onPage(browser, { ignoreHTTPSErrors: true }, async (page) => {
      const url = `https://files.example.test:${proxy.port}`
      await walk(page, url, label)
      const cookies = await page.context().cookies()
      expect(cookies).toMatchObject([{ name: '__Host-filegraph_session', secure: true, httpOnly: true, path: '/' }])
    })
  },
  90_000,
)

test.each([
  ['strips it and keeps the host', '/files', true],
  ['strips it and rewrites the host', '/files', false],
  ['passes it on and keeps the host', '', true],
])(
  'a path is enough, where the proxy %s',
  async (label, strips, keepsHost) => {
    const [, proxy] = proxies
    if (!proxy) throw new Error('There is no proxy')
    Object.assign(proxy.manners, { strips, keepsHost })
    await onPage(browser, { ignoreHTTPSErrors: true }, async (page) => {
      await walk(page, `https://example.test:${proxy.port}/files`, label)
      const cookies = await page.context().cookies()
      expect(cookies).toMatchObject([{ name: '__Secure-filegraph_session', secure: true, path: '/files' }])
    })
  },
  90_000,
)

test('below a path, the port itself leads on to the path', async () => {
  await onPage(browser, {}, async (page) => {
    const url = `http://localhost:${portOf(instances[2])}`
    await page.goto(`${url}/`)
    await page.getByLabel('E-mail').waitFor()
    expect(new URL(page.url()).pathname).toBe('/files/sign-in')
  })
})
