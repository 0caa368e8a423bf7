import { mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page, Route } from 'playwright-core'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { isolate } from '../src/ui/UserText.tsx'
import { findObject } from './findObject.ts'
import { onPage, openBrowser } from './openBrowser.ts'
import { type Instance, startFilegraph } from './startFilegraph.ts'
import { uploadText } from './uploadInPage.ts'
import { rowOf, signIn } from './walk.ts'

let instance: Instance
let browser: Browser
let clock: { directory: string; file: string }
let lastFile = 0
let name: string
let text: string

beforeAll(async () => {
  const directory = await mkdtemp(join(tmpdir(), 'filegraph-clock-'))
  clock = { directory, file: join(directory, 'ahead') }
  const settings = {
    FILEGRAPH_TEST_CLOCK: clock.file,
    NODE_OPTIONS: `--import ${new URL('turnedClock.mjs', import.meta.url).href}`,
  }
  ;[instance, browser] = await Promise.all([startFilegraph(settings), openBrowser()])
}, 180_000)

afterAll(async () => {
  await browser?.close()
  await instance?.stop()
  if (clock) await rm(clock.directory, { recursive: true, force: true })
})

beforeEach(() => {
  lastFile += 1
  name = `Résumé “${lastFile}” سيرة.txt`
  text = `the text of file ${lastFile} in this test`
})

afterEach(() => rm(clock.file, { force: true }))

/** Sets the clock of the product, which its bucket uses too. */
const turnClock = (seconds: number) => writeFile(clock.file, String(seconds * 1000))

/** Runs `run` on a list that contains the file of the test. */
const inTheList = (run: (page: Page) => Promise<void>) =>
  onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
    await uploadText(page, name, text)
    await page.reload()
    await rowOf(page, name).waitFor()
    await run(page)
  })

const press = (page: Page) => page.getByRole('button', { name: `Download ${isolate(name)}` }).click()

async function download(page: Page, start: () => Promise<unknown>) {
  const started = page.waitForEvent('download')
  await start()
  const saved = await started
  expect(saved.suggestedFilename()).toBe(name)
  expect(await readFile(await saved.path(), 'utf8')).toBe(text)
  return saved.url()
}

/** Waits for a message that names the file, on the same page. */
async function seeFailure(page: Page, words: string) {
  const message = page.getByRole('alertdialog').filter({ hasText: words })
  await message.waitFor()
  expect(await message.innerText()).toContain(name)
  expect(new URL(page.url()).pathname).toBe('/t/acme/files')
  await rowOf(page, name).waitFor()
  return message
}

test('a copied link expires after ten minutes, and the page issues a new one', async () => {
  await inTheList(async (page) => {
    const copied = await download(page, () => press(page))
    expect((await fetch(copied)).status).toBe(200)
    // Some time has passed since the link was signed.
    await turnClock(590)
    expect((await fetch(copied)).status).toBe(200)
    await turnClock(601)
    const late = await fetch(copied)
    expect(late.status).toBe(403)
    expect(await late.text()).toContain('expired')
    await page.reload()
    const next = await download(page, () => press(page))
    expect(next).not.toBe(copied)
    expect(await (await fetch(next)).text()).toBe(text)
    expect((await fetch(copied)).status).toBe(403)
  })
}, 60_000)

test('a file can be downloaded from a list that is open for longer than a link is valid', async () => {
  await inTheList(async (page) => {
    await download(page, () => press(page))
    await turnClock(3_600)
    await download(page, () => press(page))
  })
}, 60_000)

test('a link that expires before it is used is requested once more', async () => {
  await inTheList(async (page) => {
    let asked = 0
    await page.route('**/graphql', async (route) => {
      if (!route.request().postData()?.includes('IssueDownloadUrl')) return route.continue()
      const answer = await route.fetch()
      asked += 1
      // As if the computer had slept: the address has expired before it is used.
      if (asked === 1) await turnClock(601)
      return route.fulfill({ response: answer })
    })
    await download(page, () => press(page))
    expect(asked).toBe(2)
  })
}, 60_000)

test('a download whose bytes are missing names the file, and works once they are back', async () => {
  await inTheList(async (page) => {
    const path = await findObject(instance.directory, text)
    await rename(path, `${path}.away`)
    await press(page)
    const message = await seeFailure(page, 'its bytes are missing from the storage')
    await rename(`${path}.away`, path)
    await download(page, () => message.getByRole('button', { name: 'Try again' }).click())
  })
}, 60_000)

const refusal = '<?xml version="1.0"?><Error><Code>AccessDenied</Code></Error>'

test.each([
  [403, 'the storage refused the request'],
  [503, 'the storage failed'],
])(
  'a storage that answers %i leaves the page where it is',
  async (status, words) => {
    await inTheList(async (page) => {
      const answer = (route: Route) => route.fulfill({ status, contentType: 'application/xml', body: refusal })
      await page.route(/X-Amz-Signature/, answer)
      await press(page)
      const message = await seeFailure(page, words)
      await page.unroute(/X-Amz-Signature/, answer)
      await download(page, () => message.getByRole('button', { name: 'Try again' }).click())
    })
  },
  60_000,
)

test('a storage that fails after the check leaves the page where it is', async () => {
  await inTheList(async (page) => {
    await page.route(/X-Amz-Signature/, (route) =>
      route.request().isNavigationRequest()
        ? route.fulfill({ status: 500, contentType: 'application/xml', body: refusal })
        : route.continue(),
    )
    await press(page)
    await seeFailure(page, 'the storage failed')
  })
}, 60_000)

test('the message names the file if there is no network', async () => {
  await inTheList(async (page) => {
    // The code that shows messages is not in the first load.
    await page.waitForFunction(() =>
      performance.getEntriesByType('resource').some(({ name: url }) => /toasts.*js/.test(url)),
    )
    await page.context().setOffline(true)
    await press(page)
    await seeFailure(page, 'Check your connection')
  })
}, 60_000)
