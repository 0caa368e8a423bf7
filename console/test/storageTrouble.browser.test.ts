import { execFile } from 'node:child_process'
import { readFile, writeFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isolate } from '../src/ui/UserText.tsx'
import { ask } from './askInPage.ts'
import { findObject } from './findObject.ts'
import { onPage, openBrowser } from './openBrowser.ts'
import { runSql } from './seedFiles.ts'
import { type Instance, startFilegraph } from './startFilegraph.ts'
import { uploadText } from './uploadInPage.ts'
import { choose, rowOf, signIn } from './walk.ts'

const commandLine = fileURLToPath(new URL('../../server/launch/filegraph.mjs', import.meta.url))

let instance: Instance
let browser: Browser

beforeAll(async () => {
  ;[instance, browser] = await Promise.all([startFilegraph(), openBrowser()])
}, 180_000)

afterAll(async () => {
  await browser?.close()
  await instance?.stop()
})

test('a damaged file says what happened and offers the newest version that is intact', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
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

test('administrators see on every page that nothing is deleted, until somebody decides whose the bucket is', async () => {
  const pages = ['files', 'trash', 'audit', 'cleanup'].map((name) => `${instance.url}/t/acme/${name}`)
  const seen = async (page: Page, url: string) => {
    await page.goto(url)
    await page.getByRole('heading', { level: 1 }).waitFor()
    await page.waitForLoadState('networkidle')
    return page.getByRole('complementary', { name: 'Nothing is deleted from the storage' }).count()
  }
  await onPage(browser, { viewport: { width: 360, height: 700 } }, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
    expect(await seen(page, pages[0] ?? '')).toBe(0)
    // As if another database had written the marker of this generation: a copy of this one that runs beside it.
    await runSql(instance.directory, 'update installation set token = gen_random_uuid()')
    await sweep(page, 'RECONCILE', 'REFUSED')
    for (const url of pages) expect(await seen(page, url)).toBe(1)
    await page.getByText('npm run filegraph -- accept-bucket').waitFor()
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(360)
    await onPage(browser, {}, async (other) => {
      await signIn(other, instance.url, 'grace@acme.example')
      expect(await seen(other, pages[0] ?? '')).toBe(0)
    })
    await promisify(execFile)(process.execPath, [commandLine, 'accept-bucket', '--keep', 'this'], {
      env: { ...process.env, FILEGRAPH_DATA_DIR: instance.directory },
    })
    for (const url of pages) expect(await seen(page, url)).toBe(0)
  })
}, 120_000)

/** The name and the text that were saved. */
async function downloadedFrom(page: Page, button: string): Promise<[string, string]> {
  const started = page.waitForEvent('download')
  await page.getByRole('button', { name: button, exact: true }).click()
  const saved = await started
  return [saved.suggestedFilename(), await readFile(await saved.path(), 'utf8')]
}

/** Changes one bit of the object that holds `text`, behind the back of the store. */
async function damage(text: string): Promise<void> {
  const path = await findObject(instance.directory, text)
  const bytes = await readFile(path)
  const at = bytes.indexOf(text)
  bytes[at] = (bytes[at] ?? 0) ^ 1
  await writeFile(path, bytes)
}

/** Makes a sweep, as an administrator can from the Cleanup page, and waits for its outcome. */
async function sweep(page: Page, kind: 'VERIFY' | 'RECONCILE', outcome: string): Promise<void> {
  // What was verified a moment ago is not due.
  await runSql(instance.directory, `update blobs set verified_at = to_timestamp(0) where status = 'ready'`)
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
