import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { shareProduct } from './sharedProduct.ts'
import { withoutGrace } from './startFilegraph.ts'
import { signIn, walk } from './walk.ts'

const product = shareProduct(withoutGrace)

test.concurrent.each(['en-US', 'de-DE', 'ar-EG'])(
  'every step of a file works in a browser set to %s, and another tenant sees none of it',
  async (locale) => {
    await product.onPage({ locale }, async (page) => {
      await walk(page, product.url, locale)
      expect(await languageOf(page)).toBe('en ltr')
    })
  },
  90_000,
)

const others = 'fr es pt-BR he ja zh-CN zh-TW ko th fa tr hi'.split(' ')

test.concurrent.each(['de-DE', 'ar-EG'])(
  'GraphiQL opens in a browser set to %s',
  async (locale) => {
    await product.onPage({ locale }, async (page) => {
      await page.goto(`${product.url}/graphiql`)
      await page.locator('.graphiql-query-editor .view-line').first().waitFor()
      await page.getByRole('button', { name: /Execute query/ }).waitFor()
    })
  },
  60_000,
)

test.concurrent.each(others)(
  'signing in, the list, a menu and a dialog work in a browser set to %s',
  async (locale) => {
    await product.signedIn({ locale }, async (page) => {
      expect(await page.evaluate(() => navigator.language)).toBe(locale)
      await page
        .getByRole('button', { name: /^More for/ })
        .first()
        .click()
      await page.getByRole('menuitem', { name: 'Rename' }).click()
      await page.getByRole('dialog').getByLabel('Name').waitFor()
      await page.keyboard.press('Escape')
      await page.locator('.file-open').first().click()
      await page.getByText('SHA-256').waitFor()
      expect(await languageOf(page)).toBe('en ltr')
    })
  },
  60_000,
)

// `navigator.languages` has the setting of the system.
test.concurrent.each(['', 'C', 'en-US@posix', 'x-klingon', 'en-US-posix', 'ar-EG-u-nu-arab', 'th-TH-u-ca-buddhist'])(
  'the console opens although the browser names its language "%s"',
  async (tag) => {
    await product.onPage({}, async (page) => {
      await page.addInitScript((odd) => {
        Object.defineProperty(navigator, 'language', { get: () => odd })
        Object.defineProperty(navigator, 'languages', { get: () => [odd] })
      }, tag)
      await signIn(page, product.url, 'ada@acme.example')
      await page.getByRole('button', { name: /^Account/ }).click()
      await page.getByRole('menuitem', { name: 'Sign out' }).waitFor()
    })
  },
  60_000,
)

test('the console works while the browser translates it, and names are not translated', async () => {
  await product.signedIn({ email: 'hugo@globex.example', locale: 'de-DE' }, async (page) => {
    await translate(page)
    expect(await page.locator('.file-open .translated').count()).toBe(0)
    const name = await page.locator('.file-open').first().innerText()
    await page.getByRole('button', { name: `More for ${name}`, exact: true }).click()
    await page.getByRole('menuitem', { name: 'Details' }).waitFor()
    await translate(page)
    await page.getByRole('menuitem').last().click()
    await page.getByRole('button', { name: 'Undo' }).waitFor()
    await translate(page)
    await page.getByRole('button', { name: /Undo/ }).click()
    await page.getByRole('button', { name: `More for ${name}`, exact: true }).waitFor()
    for (const place of ['trash', 'audit', 'cleanup', 'files']) {
      await page.locator(`.nav a[href$=${place}]`).click()
      await page.waitForURL(new RegExp(`${place}$`))
      await page.getByRole('heading', { level: 1 }).waitFor()
      await translate(page)
    }
    await page.getByRole('combobox').first().selectOption({ index: 1 })
    await page.getByRole('combobox').first().selectOption({ index: 0 })
    await page.getByRole('button', { name: `More for ${name}`, exact: true }).waitFor()
  })
}, 60_000)

/** Does what browser translators do: replaces each text node with its translation in two elements. */
const translate = (page: Page) =>
  page.evaluate(() => {
    const isText = (node: Node) =>
      node.textContent?.trim() && !node.parentElement?.closest('[translate=no], .translated, script, style, title')
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
    const texts: Node[] = []
    while (walker.nextNode()) if (isText(walker.currentNode)) texts.push(walker.currentNode)
    for (const text of texts) {
      const outer = document.createElement('span')
      outer.className = 'translated'
      outer.append(Object.assign(document.createElement('span'), { textContent: text.textContent }))
      ;(text as Text).replaceWith(outer)
    }
  })

const languageOf = (page: Page) =>
  page.evaluate(() => `${document.documentElement.lang} ${document.documentElement.dir}`)
