import chromiumBinary from '@sparticuz/chromium'
import { type Browser, type BrowserContextOptions, chromium, type Page, type Request } from 'playwright-core'
import { expect } from 'vitest'

/**
 * Starts the headless Chromium that comes with the packages, or the one that CHROMIUM_PATH names. It does not
 * use the arguments that the package suggests: they put all pages into one process and disable the same-origin policy, which
 * uploads have to work with. `LC_ALL` is UTF-8 as on every desktop. Without it, Chromium saves a file whose name is not ASCII as
 * "download".
 */
export async function openBrowser(moreArgs: readonly string[] = []): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? (await chromiumBinary.executablePath())
  const args = ['--no-sandbox', '--no-zygote', '--disable-gpu', ...moreArgs]
  return chromium.launch({ executablePath, args, headless: true, env: { ...process.env, LC_ALL: 'C.UTF-8' } })
}

/** Runs `run` on a new page. Fails if the page threw an error or showed the error page. */
export async function onPage(browser: Browser, options: BrowserContextOptions, run: (page: Page) => Promise<void>) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 800 },
    acceptDownloads: true,
    ...options,
  })
  const page = await context.newPage()
  page.setDefaultTimeout(30_000)
  const thrown: string[] = []
  const pending = new Set<Request>()
  page.on('request', (request) => pending.add(request))
  for (const end of ['requestfinished', 'requestfailed'] as const)
    page.on(end as 'requestfinished', (request) => pending.delete(request))
  page.on('pageerror', (error) => thrown.push(String(error)))
  page.on('console', (message) => {
    // React reports errors that a boundary caught. Failed requests are reported too, and are not errors of the page.
    const text = message.text()
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) thrown.push(text)
  })
  try {
    // A thrown error says more than the timeout that it caused.
    await run(page).catch(async (error: unknown) => {
      expect(thrown).toEqual([])
      throw new Error(`${String(error)}\n${await describe(page, pending)}`, { cause: error })
    })
    expect(thrown).toEqual([])
    expect(await page.getByText('This page could not be shown').count()).toBe(0)
  } finally {
    await context.close()
  }
}

/** The text and the pending requests of the page. A timeout alone says only what did not appear. */
async function describe(page: Page, pending: Iterable<Request>): Promise<string> {
  const text = await page.evaluate(() => document.body.innerText).catch(String)
  const waiting = Array.from(
    pending,
    (request) => `${request.method()} ${request.url()} ${request.postData()?.slice(0, 100) ?? ''}`,
  )
  return `At ${page.url()} the page showed:\n${text}\nand waited for ${waiting.join('\n') || 'no request'}`
}
