import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { shareProduct, unlimited } from './sharedProduct.ts'
import { isPut, makeFiles, panelOf } from './uploadPage.ts'
import { rowOf, signIn } from './walk.ts'

const product = shareProduct(unlimited)

test('failures are grouped by reason with their names, and can be retried together', async () => {
  await product.signedIn({}, async (page) => {
    let isBroken = true
    await page.route(isPut, (route) => (isBroken ? route.fulfill({ status: 500 }) : route.continue()))
    await page.dispatchEvent('body', 'drop', { dataTransfer: await makeFiles(page, 5) })
    const panel = panelOf(page)
    await panel.getByRole('heading', { name: '5 uploads failed' }).waitFor()
    const group = panel.locator('.uploads-failure')
    expect(await group.count()).toBe(1)
    await group.getByText('The storage did not accept the file. Try again in a moment.').waitFor()
    await group.getByText('and 2 more').waitFor()
    isBroken = false
    await group.getByRole('button', { name: 'Try 5 files again' }).click()
    await panel.getByRole('heading', { name: '5 files uploaded' }).waitFor()
  })
}, 60_000)

test('signing out during uploads asks first, and says how many would be lost', async () => {
  await product.signedIn({}, async (page) => {
    const release = await holdPuts(page)
    await page.dispatchEvent('body', 'drop', { dataTransfer: await makeFiles(page, 4) })
    await panelOf(page).getByText('of 4 files').waitFor()
    await chooseSignOut(page)
    const dialog = page.getByRole('alertdialog', { name: 'Sign out and lose 4 uploads?' })
    await dialog.getByRole('button', { name: 'Cancel' }).click()
    await dialog.waitFor({ state: 'detached' })
    release()
    await panelOf(page).getByRole('heading', { name: '4 files uploaded' }).waitFor()
    await holdPuts(page)
    await page.dispatchEvent('body', 'drop', { dataTransfer: await makeFiles(page, 1) })
    await chooseSignOut(page)
    await page
      .getByRole('alertdialog', { name: 'Sign out and lose 1 upload?' })
      .getByRole('button', { name: 'Sign out' })
      .click()
    await page.getByLabel('E-mail').waitFor()
    await signIn(page, product.url, 'ada@acme.example')
    expect(await panelOf(page).count()).toBe(0)
  })
}, 90_000)

test.each(['500', 'offline'])(
  'a sign-out that fails (%s) stays on the page, and can be repeated',
  async (how) => {
    await product.signedIn({}, async (page) => {
      await page.getByRole('link', { name: 'Trash' }).click()
      const isSession = `${product.url}/session`
      await page.route(isSession, (route) => (how === '500' ? route.fulfill({ status: 500 }) : route.abort()))
      await chooseSignOut(page)
      const dialog = page.getByRole('alertdialog', { name: 'You are still signed in' })
      await dialog.getByText('You are still signed in here. Try again in a moment.').waitFor()
      await dialog.getByRole('button', { name: 'Try again' }).click()
      await dialog.getByRole('alert').waitFor()
      expect(page.url()).toBe(`${product.url}/t/acme/trash`)
      await page.unroute(isSession)
      await dialog.getByRole('button', { name: 'Try again' }).click()
      await page.getByLabel('E-mail').waitFor()
      await page.goto(`${product.url}/t/acme/files`)
      await page.getByLabel('E-mail').waitFor()
    })
  },
  60_000,
)

test('uploads wait while the session has ended, and continue after the same person signs in again', async () => {
  await product.signedIn({}, async (page) => {
    const release = await holdPuts(page)
    await page.dispatchEvent('body', 'drop', { dataTransfer: await makeFiles(page, 5, 'kept') })
    await panelOf(page).getByText('of 5 files').waitFor()
    await page.context().clearCookies()
    release()
    await page.getByText('5 uploads are paused').waitFor()
    await signInHere(page, 'ada@acme.example')
    await panelOf(page).getByRole('heading', { name: '5 files uploaded' }).waitFor()
    await rowOf(page, 'kept 4.txt').waitFor()
  })
}, 60_000)

test('the uploads of one person are dropped when another signs in', async () => {
  await product.signedIn({}, async (page) => {
    const release = await holdPuts(page)
    await page.dispatchEvent('body', 'drop', { dataTransfer: await makeFiles(page, 5, 'private') })
    await panelOf(page).getByText('of 5 files').waitFor()
    await page.context().clearCookies()
    release()
    await page.getByText('5 uploads are paused').waitFor()
    await signInHere(page, 'grace@acme.example')
    await page.waitForLoadState('networkidle')
    expect(await panelOf(page).count()).toBe(0)
    expect(await page.getByText('private 0.txt').count()).toBe(0)
  })
}, 60_000)

test('uploads continue while another workspace is open, and closing the tab asks first', async () => {
  await product.signedIn({ email: 'sam@acme.example' }, async (page) => {
    await page.goto(`${product.url}/t/acme/files`)
    await page.getByRole('table', { name: 'Files' }).waitFor()
    const release = await holdPuts(page)
    await page.dispatchEvent('body', 'drop', { dataTransfer: await makeFiles(page, 2, 'going on') })
    await panelOf(page).getByText('of 2 files').waitFor()
    await page.getByRole('button', { name: /^Workspace: / }).click()
    await page.getByRole('menuitem', { name: /Globex/ }).click()
    await panelOf(page).getByText('Uploads continue in').waitFor()
    const asked = new Promise<string>((resolve) =>
      page.once('dialog', (dialog) => void dialog.dismiss().then(() => resolve(dialog.type()))),
    )
    await page.close({ runBeforeUnload: true })
    expect(await asked).toBe('beforeunload')
    release()
    await panelOf(page).waitFor({ state: 'detached' })
    await page.goto(`${product.url}/t/acme/files`)
    await rowOf(page, 'going on 1.txt').waitFor()
  })
}, 60_000)

test('a new version keeps the name of the file, and asks if the chosen one has another name or type', async () => {
  await product.signedIn({}, async (page) => {
    await page.dispatchEvent('body', 'drop', { dataTransfer: await makeFiles(page, 1, 'report') })
    await page.getByRole('button', { name: 'report 0.txt', exact: true }).click()
    const sheet = page.getByRole('dialog', { name: 'File details' })
    await sheet.getByText('SHA-256').waitFor()
    const dialog = page.getByRole('dialog', { name: 'Upload a new version' })
    const chooseVersion = async (name: string, mimeType: string, content: string) => {
      const chooser = page.waitForEvent('filechooser')
      await sheet.getByRole('button', { name: 'New version' }).click()
      await (await chooser).setFiles({ name, mimeType, buffer: Buffer.from(content) })
    }
    const versions = sheet.getByRole('listitem')
    await chooseVersion('report 0.txt', 'text/plain', 'second')
    await versions.nth(1).waitFor()
    await chooseVersion('final.txt', 'text/plain', 'third')
    expect(await dialog.getByRole('radio', { name: 'Keep report 0.txt' }).isChecked()).toBe(true)
    expect(await dialog.getByRole('alert').count()).toBe(0)
    await dialog.getByRole('button', { name: 'Upload' }).click()
    await versions.nth(2).waitFor()
    expect(await versions.allInnerTexts()).toEqual(Array(3).fill(expect.stringContaining('report 0.txt')))
    await chooseVersion('table.csv', 'text/csv', 'a,b\n1,2\n')
    await dialog.getByRole('alert').getByText('text/plain now, and becomes text/csv').waitFor()
    await dialog.getByRole('radio', { name: 'Rename to table.csv' }).check()
    await dialog.getByRole('button', { name: 'Upload' }).click()
    await versions.filter({ hasText: 'table.csv' }).getByText('Current').waitFor()
    await sheet.getByRole('heading', { name: 'table.csv' }).waitFor()
  })
}, 60_000)

/** Holds uploads back until the returned function is called. */
async function holdPuts(page: Page): Promise<() => void> {
  let release = () => {}
  const released = new Promise<void>((resolve) => (release = resolve))
  await page.route(isPut, async (route) => {
    await released
    await route.continue().catch(() => undefined)
  })
  return release
}

async function chooseSignOut(page: Page) {
  await page.getByRole('button', { name: /^Account/ }).click()
  await page.getByRole('menuitem', { name: 'Sign out' }).click()
}

/** Signs in without leaving the page, which would drop the uploads. */
async function signInHere(page: Page, email: string) {
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill('filegraph-demo')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('table', { name: 'Files' }).waitFor()
}
