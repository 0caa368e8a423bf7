import { createServer } from 'node:http'
import type { Page } from 'playwright-core'
import { describe, expect, test as plainTest } from 'vitest'
import { shareProduct } from './sharedProduct.ts'
import { uploadInPage } from './uploadInPage.ts'
import { signIn } from './walk.ts'

const product = shareProduct()

interface Tab {
  readonly page: Page
  /** Requests that only the scripts in the files make. */
  readonly ran: readonly string[]
}

/** Each test has its own tab, in which Ada is signed in. */
const test = plainTest.extend<{ tab: Tab }>({
  // oxlint-disable-next-line no-empty-pattern -- vitest reads the names of what a fixture needs from the pattern
  tab: async ({}, use) => {
    const context = await product.browser.newContext({ acceptDownloads: true })
    const ran: string[] = []
    context.on('request', (request) => {
      if (request.url().includes('ran=')) ran.push(request.url())
    })
    const page = await context.newPage()
    page.setDefaultTimeout(15_000)
    await signIn(page, product.url, 'ada@acme.example')
    await use({ page, ran })
    await context.close()
  },
})

/** Reports that it ran, and tries what a script on the console's origin could do. */
const script = (name: string) =>
  `fetch('/graphql?ran=${name}');new Image().src='/graphql?ran=${name}&cookie='+document.cookie;localStorage.ran='${name}'`

const html = (name: string) =>
  `<!doctype html><script>${script(name)}</script><img src=/graphql?ran=${name}-img onerror="${script(name)}">`
const svg = (name: string) =>
  `<svg xmlns="http://www.w3.org/2000/svg" onload="${script(name)}"><script>${script(name)}</script></svg>`
const xhtml = (name: string) =>
  `<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><body><script>${script(name)}</script></body></html>`
const xml = (name: string) =>
  `<?xml version="1.0"?><?xml-stylesheet type="text/xsl" href="#x"?><x:script xmlns:x="http://www.w3.org/1999/xhtml">${script(name)}</x:script>`
const pdf = (name: string) =>
  `%PDF-1.7\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.launchURL("/graphql?ran=${name}"))>>>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n`
/** Begins like an image, and is a valid script. */
const gifScript = (name: string) => `GIF89a/*${'\0'.repeat(20)}*/=1;${script(name)}`
const pdfPage = (name: string) => `%PDF-1.7\n${html(name)}\n%%EOF\n`

const saved = [
  ['page.html', 'text/html', html],
  ['drawing.svg', 'image/svg+xml', svg],
  ['page.xhtml', 'application/xhtml+xml', xhtml],
  ['feed.xml', 'text/xml', xml],
  ['paper.pdf', 'application/pdf', pdf],
  ['both.pdf', 'application/pdf', pdfPage],
  ['module.js', 'text/javascript', script],
  ['style.css', 'text/css', (name: string) => `body{background:url(/graphql?ran=${name})}`],
  ['unknown.bin', '', html],
] as const
const shown = [
  ['page.txt', 'text/plain', html],
  ['both.gif', 'image/gif', gifScript],
] as const

describe.concurrent('a file with hostile content', () => {
  test.for(saved)('%s is saved, not opened, and nothing in it runs', async ([name, type, content], { tab }) => {
    const { page, ran } = tab
    const url = await uploadHostile(page, name, type, content(name))
    const started = page.waitForEvent('download')
    await page.goto(url).catch((error: Error) => expect(error.message).toContain('Download is starting'))
    expect((await started).suggestedFilename()).toBe(name)
    await embedEverywhere(page, url)
    expect(ran).toEqual([])
    expect(await storedByScripts(page)).toBeNull()
  })

  test.for(shown)('%s is shown, and nothing in it runs', async ([name, type, content], { tab }) => {
    const { page, ran } = tab
    const url = await uploadHostile(page, name, type, content(name))
    const answer = await page.goto(url)
    expect(answer?.headers()['content-type']).toMatch(new RegExp(`^${type}`))
    expect(await page.evaluate(() => [window.origin, document.contentType])).toEqual(['null', type])
    await expect(page.evaluate(() => document.cookie)).rejects.toThrow(/sandboxed/)
    await expect(page.evaluate(() => localStorage.length)).rejects.toThrow(/sandboxed/)
    await expect(page.evaluate(() => fetch('/graphql'))).rejects.toThrow(/Failed to fetch/)
    await embedEverywhere(page, url)
    expect(ran).toEqual([])
    expect(await storedByScripts(page)).toBeNull()
  })
})

test('an image, a sound and a text are shown in the browser', async ({ tab: { page } }) => {
  const png = Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAIAAAACCAIAAAD91JpzAAAAEElEQVR4nGP4z8AARAwQCgAf7gP9i18U1AAAAABJRU5ErkJggg==',
    'base64',
  )
  await page.goto(await uploadHostile(page, 'dot.png', 'image/png', png.toString('latin1')))
  expect(await page.evaluate(() => document.images[0]?.naturalWidth)).toBe(2)
  await page.goto(await uploadHostile(page, 'notes.txt', 'text/plain', 'Plain words.'))
  expect(await page.evaluate(() => document.body.innerText)).toBe('Plain words.')
  await page.goto(await uploadHostile(page, 'beep.wav', 'audio/wav', wav()))
  await page.waitForFunction(() => (document.querySelector('video')?.duration ?? 0) > 0)
})

/** Uploads from the page of the console, as the signed-in person. Returns an INLINE address. */
async function uploadHostile(page: Page, name: string, contentType: string, content: string): Promise<string> {
  await page.goto(product.url)
  await page.getByRole('table', { name: 'Files' }).waitFor()
  const bytes = Array.from(Buffer.from(content, 'latin1'))
  const { downloadUrl } = await page.evaluate(uploadInPage, { name, contentType, bytes })
  return downloadUrl
}

/** Embeds the file in a page of the console's origin without a policy, and in a page of another site, with every element that loads files. */
async function embedEverywhere(page: Page, url: string): Promise<void> {
  const embedding = `<!doctype html><title>embedding</title>
    <iframe src="${url}"></iframe><object data="${url}"></object><embed src="${url}"><img src="${url}">
    <link rel="stylesheet" href="${url}"><link rel="import" href="${url}">
    <script src="${url}"></script><script type="module" src="${url}"></script>
    <script>
      const tries = [
        () => import('${url}'),
        () => new Promise((_, no) => { new Worker('${url}').onerror = no; setTimeout(no, 500) }),
        () => navigator.serviceWorker.register('${url}'),
        () => navigator.serviceWorker.register('${url}', { scope: '/' }),
      ]
      window.results = Promise.allSettled(tries.map(async (one) => one()))
    </script>`
  const pages = await Promise.all([ownPage(page, embedding), pageElsewhere(embedding)])
  for (const { at, close } of pages) {
    await page.goto(at, { waitUntil: 'load' }).catch((error: Error) => expect(error.message).toContain('Download'))
    const outcomes = await page.evaluate(async () => {
      const settled = await (window as unknown as { results?: Promise<{ status: string }[]> }).results
      return settled?.map(({ status }) => status)
    })
    expect(outcomes).toEqual(['rejected', 'rejected', 'rejected', 'rejected'])
    await close()
  }
}

async function ownPage(page: Page, body: string) {
  const at = `${product.url}/embedding-page`
  await page.route(at, (route) => route.fulfill({ contentType: 'text/html', body }))
  return { at, close: () => page.unroute(at) }
}

async function pageElsewhere(body: string) {
  const server = createServer((_, response) => response.setHeader('content-type', 'text/html').end(body))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  const port = typeof address === 'object' && address ? address.port : 0
  const close = async () => {
    server.close()
    server.closeAllConnections()
  }
  return { at: `http://127.0.0.1:${port}/`, close }
}

async function storedByScripts(page: Page): Promise<string | null> {
  await page.goto(product.url)
  await page.getByRole('table', { name: 'Files' }).waitFor()
  return page.evaluate(() => localStorage.getItem('ran'))
}

/** A tenth of a second of silence. */
function wav(): string {
  const samples = 800
  const header = Buffer.alloc(44)
  header.write('RIFF', 0)
  header.writeUInt32LE(36 + samples, 4)
  header.write('WAVEfmt ', 8)
  header.writeUInt32LE(16, 16)
  header.writeUInt16LE(1, 20)
  header.writeUInt16LE(1, 22)
  header.writeUInt32LE(8000, 24)
  header.writeUInt32LE(8000, 28)
  header.writeUInt16LE(1, 32)
  header.writeUInt16LE(8, 34)
  header.write('data', 36)
  header.writeUInt32LE(samples, 40)
  return Buffer.concat([header, Buffer.alloc(samples, 128)]).toString('latin1')
}
