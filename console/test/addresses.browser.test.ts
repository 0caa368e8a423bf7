import { networkInterfaces } from 'node:os'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onPage, openBrowser } from './openBrowser.ts'
import { type Instance, startFilegraph } from './startFilegraph.ts'
import { startTlsProxy, type TlsProxy } from './startTlsProxy.ts'
import { download, rowOf, signIn, upload } from './walk.ts'

let browser: Browser
let proxy: TlsProxy

beforeAll(async () => {
  proxy = await startTlsProxy()
  // Only this browser resolves these names. The machine cannot.
  const names = ['files.example.test', 'example.test']
  const rules = names.map((name) => `MAP ${name}:443 127.0.0.1:${proxy.port}`).join(',')
  browser = await openBrowser([`--host-resolver-rules=${rules}`])
})

afterAll(async () => {
  await browser?.close()
  await proxy?.close()
})

const addresses = Object.values(networkInterfaces()).flatMap((each = []) => each)
const onNetwork = addresses.find(({ internal, family }) => !internal && family === 'IPv4')?.address ?? '127.0.0.3'
const hasIpv6 = addresses.some(({ address }) => address === '::1')

test.concurrent.each([
  ['0.0.0.0', onNetwork],
  ['127.0.0.2', '127.0.0.2'],
  ['::1', '[::1]'],
])(
  'HOST=%s serves a browser at http://%s',
  async (host, name) => {
    await withFilegraph({ HOST: host }, ({ port }) => walkAt(`http://${name}:${port}/`))
  },
  120_000,
)

test.concurrent('PUBLIC_URL can name a host that only browsers resolve, and its signed URLs survive a restart', async () => {
  const settings = { PUBLIC_URL: 'https://files.example.test', TRUST_PROXY: 'true' }
  await withFilegraph(settings, async (instance) => {
    proxy.forward('files.example.test', instance.port)
    await walkAt('https://files.example.test/', async (page, signedUrl) => {
      await instance.restart()
      expect(await textAt(page, signedUrl)).toMatch(/^%PDF-1\.7/)
      await page.reload()
      await page.getByRole('table', { name: 'Files' }).waitFor()
    })
  })
}, 120_000)

test.concurrent('PUBLIC_URL can have a path, and GraphiQL works below it', async () => {
  await withFilegraph({ PUBLIC_URL: 'https://example.test/files/' }, async (instance) => {
    proxy.forward('example.test', instance.port)
    await walkAt('https://example.test/files/', async (page) => {
      await page.goto('https://example.test/files/graphiql')
      await page.locator('.graphiql-query-editor .view-line').first().waitFor()
      await page.getByRole('button', { name: /Execute query/ }).click()
      await page
        .locator('.graphiql-response .view-line', { hasText: 'https://example.test/files/bucket/' })
        .first()
        .waitFor()
    })
  })
}, 120_000)

test.concurrent('PUBLIC_URL can be an IPv6 address', async () => {
  const host = `[::1]:${proxy.port}`
  await withFilegraph({ PUBLIC_URL: `https://${host}` }, async (instance) => {
    proxy.forward(host, instance.port)
    await walkAt(`https://${host}/`)
  })
}, 120_000)

async function withFilegraph(settings: Record<string, string>, run: (instance: Instance) => Promise<void>) {
  if (`${settings['HOST']} ${settings['PUBLIC_URL']}`.includes('::1') && !hasIpv6)
    throw new Error('This test needs the IPv6 address ::1 on the loopback interface, which this machine does not have.')
  const instance = await startFilegraph(settings)
  try {
    await run(instance)
  } finally {
    await instance.stop()
  }
}

/**
 * Signs in at `base`, uploads a file, finds it in the list and downloads the same bytes. Fails if the page sends a
 * request to another origin, or if the browser refuses a script, a style or a request.
 */
async function walkAt(base: string, goOn: (page: Page, signedUrl: string) => Promise<void> = async () => undefined) {
  await onPage(browser, { ignoreHTTPSErrors: true }, async (page) => {
    const requested = new Set<string>()
    const refused: string[] = []
    page.on('request', (request) => requested.add(request.url()))
    page.on('console', (message) => {
      if (/mixed content|cors|content.security.policy|refused/i.test(message.text())) refused.push(message.text())
    })
    await signIn(page, base, 'ada@acme.example')
    await upload(page, 'report.pdf')
    await page.reload()
    await rowOf(page, 'report.pdf').waitFor()
    const signedUrl = await download(page, 'report.pdf')
    expect(signedUrl.startsWith(`${base}bucket/filegraph/org/`)).toBe(true)
    await goOn(page, signedUrl)
    expect(refused).toEqual([])
    const elsewhere = [...requested].filter((url) => !/^(blob|data):/.test(url) && !url.startsWith(base))
    expect(elsewhere).toEqual([])
  })
}

const textAt = (page: Page, url: string) =>
  page.evaluate(async (signed) => {
    const answer = await fetch(signed)
    return answer.text()
  }, url)
