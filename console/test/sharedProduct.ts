import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll } from 'vitest'
import { onPage, openBrowser } from './openBrowser.ts'
import { type Instance, startFilegraph } from './startFilegraph.ts'
import { signIn } from './walk.ts'

interface PageOptions extends BrowserContextOptions {
  /** Default: Ada, an owner of Acme. */
  readonly email?: string
}

/** The limit on operations is not what these tests are about. */
export const unlimited = { RATE_LIMIT_OPERATIONS_PER_MINUTE: '0' }

/** Starts one product and one browser for all tests of a file, and stops them afterwards. `prepare` runs before the first test. */
export function shareProduct(settings: Record<string, string> = {}, prepare?: (instance: Instance) => Promise<void>) {
  let instance: Instance
  let browser: Browser
  beforeAll(async () => {
    ;[instance, browser] = await Promise.all([startFilegraph(settings), openBrowser()])
    await prepare?.(instance)
  }, 240_000)
  afterAll(async () => {
    await browser?.close()
    await instance?.stop()
  })
  return {
    get url() {
      return instance.url
    },
    get directory() {
      return instance.directory
    },
    get browser() {
      return browser
    },
    /** Runs `run` on a new, blank page. */
    onPage: (options: BrowserContextOptions, run: (page: Page) => Promise<void>) => onPage(browser, options, run),
    /** Signs a person in on a new page, and runs `run` on the Files page. */
    signedIn: ({ email = 'ada@acme.example', ...options }: PageOptions, run: (page: Page) => Promise<void>) =>
      onPage(browser, options, async (page) => {
        await signIn(page, instance.url, email)
        await run(page)
      }),
  }
}
