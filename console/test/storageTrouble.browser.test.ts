import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { isolate } from '../src/ui/UserText.tsx'
import { ask } from './askInPage.ts'
import { findObject } from './findObject.ts'
import { shareProduct } from './sharedProduct.ts'
import { runSql } from './seedFiles.ts'
import { uploadText } from './uploadInPage.ts'
import { choose, rowOf, signIn } from './walk.ts'

const commandLine = fileURLToPath(new URL('../../server/launch/filegraph.mjs', import.meta.url))

const product = shareProduct()

test('a damaged file says what happened and offers the newest version that is intact', async () => {
  await product.signedIn({}, async (page) => {
    const name = 'plan “B” خطة.txt'
    const { id } = await uploadText(page, name, 'the first text of the plan')
    await uploadText(page, name, 'the second text of the plan', id)
    await uploadText(page, name, 'the third text of the plan', id)
    await page.reload()
    await rowOf(page, name).waitFor()

    await damage('the third text of the plan')
    await sweep(page, 'VERIFY', 'DONE')
    // The list was loaded before the damage was found.
    await page.getByRole('button', { name: `Download ${isolate(name)}` }).click()
    await page.getByText('Its stored bytes no longer match what was uploaded').waitFor()
    await page.getByRole('button', { name: 'Show versions' }).click()
    const details = page.getByRole('dialog', { name: 'File details' })
    await details.getByText('The stored bytes of version 3 no longer match what was uploaded').waitFor()
    expect(await details.getByRole('button', { name: 'Download', exact: true }).count()).toBe(0)
    expect(await details.getByRole('button', { name: /^Download version 3/ }).count()).toBe(0)
    expect(await downloadedFrom(page, 'Download version 2')).toEqual([name, 'the second text of the plan'])
    expect(await downloadedFrom(page, `Download version 1, ${isolate(name)}`)).toEqual([
      name,
      'the first text of the plan',
    ])

    await damage('the second text of the plan')
    await sweep(page, 'VERIFY', 'DONE')
    await page.keyboard.press('Escape')
    await rowOf(page, name).getByText('Damaged').waitFor()
    expect(
      await rowOf(page, name)
        .getByRole('button', { name: /^Download/ })
        .count(),
    ).toBe(0)
    await rowOf(page, name)
      .getByRole('button', { name: /^Damaged/ })
      .click()
    expect(await downloadedFrom(page, 'Download version 1')).toEqual([name, 'the first text of the plan'])

    await damage('the first text of the plan')
    await sweep(page, 'VERIFY', 'DONE')
    await page.keyboard.press('Escape')
    await choose(page, name, 'Details')
    await details.getByText('There is no other version that can be downloaded').waitFor()
    expect(await details.getByRole('button', { name: /^Download/ }).count()).toBe(0)
  })
}, 90_000)

test('administrators see on every page that nothing is deleted, until an operator decides which database owns the bucket', async () => {
  const pages = ['files', 'trash', 'audit', 'cleanup'].map((name) => `${product.url}/t/acme/${name}`)
  const seen = async (page: Page, url: string) => {
    await page.goto(url)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.waitForLoadState('networkidle')
    return page.getByRole('complementary', { name: 'Nothing is deleted from the storage' }).count()
  }
  await product.signedIn({ viewport: { width: 360, height: 700 } }, async (page) => {
    expect(await seen(page, pages[0] ?? '')).toBe(0)
    // As if a copy of this database had written the marker in the bucket.
    await runSql(product.directory, 'update installation set token = gen_random_uuid()')
    await sweep(page, 'RECONCILE', 'REFUSED')
    for (const url of pages) expect(await seen(page, url)).toBe(1)
    await page.getByText('npm run filegraph -- accept-bucket').waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    await product.onPage({}, async (other) => {
      await signIn(other, product.url, 'grace@acme.example')
      expect(await seen(other, pages[0] ?? '')).toBe(0)
    })
    await promisify(execFile)(process.execPath, [commandLine, 'accept-bucket', '--keep', 'this'], {
      env: { ...process.env, FILEGRAPH_DATA_DIR: product.directory },
    })
    for (const url of pages) expect(await seen(page, url)).toBe(0)
  })
}, 120_000)

/** Returns the saved name and text. */
async function downloadedFrom(page: Page, button: string): Promise<[string, string]> {
  const started = page.waitForEvent('download')
  await page.getByRole('button', { name: button, exact: true }).click()
  const saved = await started
  return [saved.suggestedFilename(), await readFile(await saved.path(), 'utf8')]
}

/** Flips one bit of the object that contains `text`. */
async function damage(text: string): Promise<void> {
  const path = await findObject(product.directory, text)
  const bytes = await readFile(path)
  const at = bytes.indexOf(text)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(path, bytes)
}

/** Starts a sweep as an administrator, and waits for its outcome. */
async function sweep(page: Page, kind: 'VERIFY' | 'RECONCILE', outcome: string): Promise<void> {
  // Makes blobs due again that were verified a moment ago.
  await runSql(product.directory, `update blobs set verified_at = to_timestamp(0) where status = 'ready'`)
  const start = `mutation ($kind: CleanupKind!) { runCleanup(input: { kind: $kind, isDryRun: false }) {
    ... on RunCleanupSuccess { cleanupRun { id } } ... on Error { message } } }`
  const { runCleanup } = await ask<{ runCleanup: { cleanupRun: { id: string } } }>(page, start, { kind })
  const query = 'query ($id: ID!) { node(id: $id) { ... on CleanupRun { state } } }'
  const state = async () => {
    const { node } = await ask<{ node: { state: string } | null }>(page, query, runCleanup.cleanupRun)
    return node?.state
  }
  await expect.poll(state, { timeout: 30_000 }).toBe(outcome)
}
