import chromiumBinary from '@sparticuz/chromium'
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core'
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
  page.on('pageerror', (error) => thrown.push(String(error)))
  page.on('console', (message) => {
    // React reports what an error boundary caught. Refused requests are reported too, and are none of our errors.
    const text = message.text()
    if (message.type() === 'error' && !text.startsWith('Failed to load resource')) thrown.push(text)
  })
  try {
    // What was thrown says more than the wait that ran out of time because of it.
    await run(page).catch((error: unknown) => {
      expect(thrown).toEqual([])
      throw error
    })
    expect(thrown).toEqual([])
    expect(await page.getByText('This page could not be shown').count()).toBe(0)
  } finally {
    await context.close()
  }
}
