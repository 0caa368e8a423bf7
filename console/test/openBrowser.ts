import chromiumBinary from '@sparticuz/chromium'
import { type Browser, type BrowserContextOptions, chromium, type Page, type Request } from 'playwright-core'
import { expect } from 'vitest'

/**
 * Starts the headless Chromium that comes with the packages, or the one that CHROMIUM_PATH names. The arguments that the
 * package suggests are left out: they join all pages in one process and switch the same-origin policy off, which the uploads
 * have to get past by themselves. `LC_ALL` is what every desktop has: without UTF-8 in it, Chromium saves a file whose name
 * has letters outside ASCII as "download".
 */
export async function openBrowser(moreArgs: readonly string[] = []): Promise<Browser> {
  const executablePath = process.env['CHROMIUM_PATH'] ?? (await chromiumBinary.executablePath())
  const args = ['--no-sandbox', '--no-zygote', '--disable-gpu', ...moreArgs]
  return chromium.launch({ executablePath, args, headless: true, env: { ...process.env, LC_ALL: 'C.UTF-8' } })
}

/** Runs `run` on a page of its own, and fails if the page threw anything or had to say that it could not be shown. */
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
    // React reports what an error boundary caught. Refused requests are reported too, and are none of our errors.
    const text = message.text()
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) thrown.push(text)
  })
  try {
    // What was thrown says more than the wait that ran out of time because of it.
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

/** What a person saw when a test failed: a wait that ran out of time says only what did not come. */
async function describe(page: Page, pending: Iterable<Request>): Promise<string> {
  const text = await page.evaluate(() => document.body.innerText).catch(String)
  const waiting = Array.from(
    pending,
    (request) => `${request.method()} ${request.url()} ${request.postData()?.slice(0, 100) ?? ''}`,
  )
  return `At ${page.url()} the page showed:\n${text}\nand waited for ${waiting.join('\n') || 'no request'}`
}
