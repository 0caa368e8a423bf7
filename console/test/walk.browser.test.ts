import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import axe from 'axe-core'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { firstLoadScripts } from '../firstLoad.mjs'
import { shareProduct } from './sharedProduct.ts'
import { withoutGrace } from './startFilegraph.ts'
import { signIn } from './walk.ts'
import { walkOfAFileInUse, walkOfAHold } from './walkDeletion.ts'

const pages = ['files', 'trash', 'audit', 'cleanup']

/** A PNG of one pixel, in Base64. */
const onePixel = 'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=='

const product = shareProduct(withoutGrace)

test('a file in use cannot be deleted and shows who uses it; a detached one can be deleted, restored and purged', async () => {
  await product.onPage({}, async (page) => {
    await walkOfAFileInUse(page, product.url)
  })
}, 90_000)

test('a file under legal hold cannot be deleted or purged, and shows why', async () => {
  await product.onPage({ viewport: { width: 375, height: 700 } }, async (page) => {
    await walkOfAHold(page, product.url)
  })
}, 90_000)

test.each(['light', 'dark'] as const)(
  'axe finds no accessibility violation on the pages in %s',
  async (theme) => {
    await product.onPage({}, async (page) => {
      await page.emulateMedia({ colorScheme: theme, reducedMotion: 'reduce' })
      await page.goto(product.url)
      await page.getByLabel('E-mail').waitFor()
      expect(await violations(page)).toEqual([])
      await signIn(page, product.url, 'ada@acme.example')
      for (const name of pages) {
        await open(page, name)
        expect(await violations(page)).toEqual([])
      }
      await open(page, 'files')
      await page.locator('.file-open').first().click()
      await page.getByText('SHA-256').waitFor()
      expect(await violations(page)).toEqual([])
      await page.getByRole('button', { name: 'Hold …' }).click()
      await page.getByLabel('Reason').waitFor()
      expect(await violations(page)).toEqual([])
      await open(page, 'cleanup')
      await page.getByRole('button', { name: 'Run now' }).click()
      await page.getByRole('switch', { name: 'Dry run' }).waitFor()
      expect(await violations(page)).toEqual([])
    })
  },
  120_000,
)

test('no page is wider than a screen of 375 pixels', async () => {
  await product.signedIn({ viewport: { width: 375, height: 700 } }, async (page) => {
    for (const name of pages) {
      await open(page, name)
      expect(await widest(page)).toBeLessThanOrEqual(375)
    }
  })
}, 60_000)

test('the Files page sends one GraphQL request, loads the scripts that size-limit measures, and follows its policy', async () => {
  await product.signedIn({}, async (page) => {
    const requests: string[] = []
    const complaints: string[] = []
    page.on('request', (request) => request.url().endsWith('/graphql') && requests.push(request.postData() ?? ''))
    const scripts: string[] = []
    page.on('request', (request) => request.url().endsWith('.js') && scripts.push(new URL(request.url()).pathname))
    page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()))
    await page.goto(`${product.url}/t/acme/files`)
    await page.getByRole('table', { name: 'Files' }).waitFor()
    await page.waitForLoadState('networkidle')
    expect(requests).toHaveLength(1)
    expect(scripts.map((path) => `dist${path}`).sort()).toEqual(firstLoadScripts())
    expect(complaints).toEqual([])
  })
}, 60_000)

test('the Files page loads at most 200 kB of compressed script', async () => {
  const cwd = fileURLToPath(new URL('..', import.meta.url))
  const command = fileURLToPath(new URL('../node_modules/size-limit/bin.js', import.meta.url))
  // It exits with 1 above the limit, and prints the size in any case.
  const run = promisify(execFile)(process.execPath, [command, '--json'], { cwd })
  const { stdout } = await run.catch((error: { stdout: string }) => error)
  const [found] = JSON.parse(stdout) as [{ size: number; sizeLimit: number }]
  console.log(`First load of the Files page: ${(found.size / 1000).toFixed(1)} kB of script in Brotli.`)
  expect(found.size).toBeLessThanOrEqual(found.sizeLimit)
})

test('dropped files are uploaded, a wrong type is reported, and a file gets a second version', async () => {
  await product.signedIn({ email: 'grace@acme.example' }, async (page) => {
    let sent = 0
    page.on('request', (request) => (sent += request.method() === 'PUT' ? 1 : 0))
    const dropped = await page.evaluateHandle((dot) => {
      const data = new DataTransfer()
      data.items.add(new File(['one'], 'dropped.txt', { type: 'text/plain' }))
      const png = Uint8Array.from(atob(dot), (letter) => letter.charCodeAt(0))
      data.items.add(new File([png], 'lie.pdf', { type: 'application/pdf' }))
      return data
    }, onePixel)
    await page.dispatchEvent('body', 'dragenter', { dataTransfer: dropped })
    await page.getByText('Drop to upload to Files').waitFor()
    await page.dispatchEvent('body', 'drop', { dataTransfer: dropped })
    const panel = page.getByRole('region', { name: 'Uploads' })
    await panel.getByText('1 upload failed').waitFor()
    await panel.getByText('The content is image/png, not application/pdf.').waitFor()
    expect(sent).toBe(1)
    await panel.getByRole('button', { name: 'Use the real type' }).click()
    await panel.getByText('2 files uploaded').waitFor()
    await panel.getByText('saved as image/png').waitFor()
    await page.getByRole('button', { name: 'Close the list of uploads' }).click()
    await page.getByRole('button', { name: 'dropped.txt', exact: true }).click()
    const chooser = page.waitForEvent('filechooser')
    await page.getByRole('button', { name: 'New version' }).click()
    await (await chooser).setFiles({ name: 'dropped.txt', mimeType: 'text/plain', buffer: Buffer.from('two') })
    const versions = page.getByRole('dialog').getByRole('listitem')
    await versions.nth(1).waitFor()
    await versions.first().getByText('Current').waitFor()
    expect(await versions.count()).toBe(2)
  })
}, 60_000)

test('a viewer sees no action that changes files, no audit log and no cleanup', async () => {
  await product.signedIn({ email: 'vic@acme.example' }, async (page) => {
    expect(await page.getByRole('button', { name: 'Upload' }).count()).toBe(0)
    expect(await page.getByRole('link', { name: /Audit log|Cleanup/ }).count()).toBe(0)
    await page
      .getByRole('button', { name: /^More for/ })
      .first()
      .click()
    expect(await page.getByRole('menuitem').allInnerTexts()).toEqual(['Details'])
    await page.getByRole('menuitem', { name: 'Details' }).click()
    await page.getByText('until somebody deletes it').waitFor()
    expect(await page.getByRole('combobox', { name: 'How long it stays' }).count()).toBe(0)
    expect(await page.getByRole('button', { name: 'Hold …' }).count()).toBe(0)
    for (const name of ['audit', 'cleanup']) {
      await page.goto(`${product.url}/t/acme/${name}`)
      await page.getByText('Not for your role').waitFor()
    }
  })
}, 60_000)

test('an unknown address shows links to other pages', async () => {
  await product.signedIn({}, async (page) => {
    const leadsFrom = async (path: string, link: string, heading: string) => {
      await page.goto(`${product.url}${path}`)
      await page.getByRole('link', { name: link }).click()
      await page.getByRole('heading', { name: heading, exact: true }).waitFor()
    }
    await leadsFrom('/nowhere/at/all', 'Go to your files', 'Files')
    await leadsFrom('/t/acme/nowhere', 'Go to the files', 'Files')
    await leadsFrom('/t/acme/nowhere', 'Look in the trash', 'Trash')
    await leadsFrom('/t/acme/nowhere', 'Look in the audit log', 'Audit log')
    await leadsFrom('/t/acme/files?file=RmlsZTpub3doZXJl', 'Look in the trash', 'Trash')
    await leadsFrom('/t/nobody/files', 'Go to Acme Studio', 'Files')
    await leadsFrom('/t/globex/nowhere', 'Go to Acme Studio', 'Files')
  })
}, 60_000)

test('a refused page shows links, and returns after signing in as somebody who may see it', async () => {
  await product.signedIn({ email: 'vic@acme.example' }, async (page) => {
    await page.goto(`${product.url}/t/acme/audit`)
    await page.getByRole('link', { name: 'Go to the files' }).click()
    await page.getByRole('table', { name: 'Files' }).waitFor()
    await page.goto(`${product.url}/t/acme/audit`)
    await page.getByRole('link', { name: 'Sign in as somebody else' }).click()
    await page.getByLabel('E-mail').fill('ada@acme.example')
    await page.getByLabel('Password').fill('filegraph-demo')
    await page.getByRole('button', { name: 'Sign in' }).click()
    await page.getByRole('table', { name: 'Audit log' }).waitFor()
    expect(new URL(page.url()).pathname).toBe('/t/acme/audit')
  })
}, 60_000)

test('after deleting by keyboard the focus is on the next file', async () => {
  await product.signedIn({ email: 'hugo@globex.example' }, async (page) => {
    const names = await page.locator('.file-open').allInnerTexts()
    await page.getByRole('button', { name: `More for ${names[0]}`, exact: true }).press('Enter')
    await page.getByRole('menuitem', { name: 'Delete' }).press('Enter')
    await page
      .getByRole('row')
      .filter({ hasText: names[0] ?? '' })
      .waitFor({ state: 'detached' })
    await page.waitForFunction((name) => document.activeElement?.textContent === name, names[1])
  })
}, 60_000)

test('GraphiQL runs its first example with the session, and loads nothing from other origins', async () => {
  await product.signedIn({}, async (page) => {
    const elsewhere: string[] = []
    page.on('request', (request) => {
      if (!/^(blob|data):/.test(request.url()) && !request.url().startsWith(product.url)) elsewhere.push(request.url())
    })
    await page.goto(`${product.url}/graphiql`)
    await page.locator('.graphiql-query-editor .view-line').first().waitFor()
    await page.getByRole('button', { name: /Execute query/ }).click()
    await page.locator('.graphiql-response .view-line', { hasText: 'downloadUrl' }).first().waitFor()
    expect(elsewhere).toEqual([])
  })
}, 60_000)

async function open(page: Page, name: string) {
  await page.goto(`${product.url}/t/acme/${name}`)
  await page.getByRole('heading', { level: 1 }).waitFor()
  await page.waitForLoadState('networkidle')
}

/** Injects axe through the developer tools, because the policy of the page allows no other script. */
async function violations(page: Page): Promise<string[]> {
  await page.evaluate(axe.source)
  return page.evaluate(async () => {
    const injected = (globalThis as unknown as { axe: { run(): Promise<AxeResult> } }).axe
    const result = await injected.run()
    return result.violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html}`))
  })
}

interface AxeResult {
  violations: { id: string; nodes: { html: string }[] }[]
}

const widest = (page: Page) =>
  page.evaluate(() =>
    Math.max(
      document.documentElement.scrollWidth,
      ...Array.from(document.querySelectorAll('.page, .page *'), (element) => element.getBoundingClientRect().right),
    ),
  )
