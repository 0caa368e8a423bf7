import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isolate } from '../src/ui/isolate.ts'
import { onPage, openBrowser } from './openBrowser.ts'
import { runSql } from './seedFiles.ts'
import { type Instance, startFilegraph } from './startFilegraph.ts'
import { uploadText } from './uploadInPage.ts'
import { choose, rowOf, signIn } from './walk.ts'

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
    await verify(page)
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
    await verify(page)
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
    await verify(page)
    await page.keyboard.press('Escape')
    await choose(page, name, 'Details')
    await details.getByText('There is no other version that can be downloaded').waitFor()
    expect(await details.getByRole('button', { name: /^Download/ }).count()).toBe(0)
  })
}, 90_000)

/** The name and the text that were saved. */
async function downloadedFrom(page: Page, button: string): Promise<[string, string]> {
  const started = page.waitForEvent('download')
  await page.getByRole('button', { name: button, exact: true }).click()
  const saved = await started
  return [saved.suggestedFilename(), await readFile(await saved.path(), 'utf8')]
}

/** Changes one bit of the object that holds `text`, behind the back of the store. */
async function damage(text: string): Promise<void> {
  const folder = join(instance.directory, 'bucket')
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const bytes = await readFile(path)
    const at = bytes.indexOf(text)
    if (at === -1) continue
    bytes[at] = (bytes[at] ?? 0) ^ 1
    return writeFile(path, bytes)
  }
  throw new Error(`No object holds “${text}”`)
}

/** Runs the verification, as an administrator can from the Cleanup page. */
async function verify(page: Page): Promise<void> {
  // What was verified a moment ago is not due.
  await runSql(instance.directory, `update blobs set verified_at = to_timestamp(0) where status = 'ready'`)
  const id = await page.evaluate(async () => {
    const headers = { 'content-type': 'application/json', 'x-filegraph-csrf': '1', 'x-filegraph-tenant': 'acme' }
    const query = `mutation { runCleanup(input: { kind: VERIFY, isDryRun: false }) {
      ... on RunCleanupSuccess { cleanupRun { id } } ... on Error { message } } }`
    const answer = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) })
    const { data } = (await answer.json()) as { data: { runCleanup: { cleanupRun: { id: string } } } }
    return data.runCleanup.cleanupRun.id
  })
  await expect.poll(() => page.evaluate(readState, id), { timeout: 30_000 }).toBe('DONE')
}

/** Runs in the browser. */
async function readState(id: string): Promise<string | undefined> {
  const headers = { 'content-type': 'application/json', 'x-filegraph-csrf': '1', 'x-filegraph-tenant': 'acme' }
  const query = 'query ($id: ID!) { node(id: $id) { ... on CleanupRun { state } } }'
  const body = JSON.stringify({ query, variables: { id } })
  const answer = await fetch('/graphql', { method: 'POST', headers, body })
  return ((await answer.json()) as { data: { node: { state: string } } }).data.node?.state
}
