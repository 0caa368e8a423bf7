import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Page } from 'playwright-core'
import { afterAll, expect, test } from 'vitest'
import { shareProduct, unlimited } from './sharedProduct.ts'
import { panelOf } from './uploadPage.ts'
import { signIn } from './walk.ts'

const product = shareProduct(unlimited)
const directory = await mkdtemp(join(tmpdir(), 'filegraph-drops-'))

afterAll(() => rm(directory, { recursive: true, force: true }))

test('a dropped folder is uploaded as a flat list, without system files', async () => {
  await product.signedIn({}, async (page) => {
    await dropPaths(page, [await makeTree()])
    const panel = panelOf(page)
    await panel.getByText('254 files from folders. Folders are not kept: the files are listed side by side.').waitFor()
    await panel.getByText('Left out: 3 system files.').waitFor()
    await panel.getByText('Left out: 1 empty folder.').waitFor()
    await panel.getByRole('heading', { name: '254 files uploaded' }).waitFor({ timeout: 60_000 })
    const names = await newestNames(page, 254)
    expect(names).toEqual(
      expect.arrayContaining(['صورة.txt', 'deep.txt', '.env', 'top.txt', 'photo 0.txt', 'photo 249.txt']),
    )
    expect(new Set(names).size).toBe(254)
  })
}, 120_000)

test.each(['trash', 'audit', 'cleanup'])(
  'files dropped on the page %s are uploaded, and the tab stays where it is',
  async (name) => {
    await product.signedIn({}, async (page) => {
      await page.goto(`${product.url}/t/acme/${name}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.waitForLoadState('networkidle')
      const path = join(directory, `dropped on ${name}.txt`)
      await writeFile(path, name)
      await dropPaths(page, [path])
      await panelOf(page).getByRole('heading', { name: '1 file uploaded' }).waitFor()
      expect(page.url()).toBe(`${product.url}/t/acme/${name}`)
      expect(page.context().pages()).toHaveLength(1)
    })
  },
  60_000,
)

test('files dropped where nothing accepts them never replace the page', async () => {
  await product.onPage({}, async (page) => {
    const path = join(directory, 'stray.html')
    await writeFile(path, '<p>stray</p>')
    for (const place of ['/sign-in', '/nowhere', '/graphiql']) {
      await page.goto(`${product.url}${place}`)
      await page.waitForLoadState('networkidle')
      const { url } = { url: page.url() }
      await dropPaths(page, [path])
      expect(await isDropRefused(page)).toBe(true)
      expect(page.url()).toBe(url)
      expect(page.context().pages()).toHaveLength(1)
    }
    await signIn(page, product.url, 'vic@acme.example')
    await dropPaths(page, [path])
    await page.getByText('You can view and download here, but not upload.').waitFor()
    expect(await panelOf(page).count()).toBe(0)
  })
}, 90_000)

test('a pasted picture is uploaded, and pasting into a field uploads nothing', async () => {
  await product.signedIn({}, async (page) => {
    const paste = (selector: string) =>
      page.locator(selector).evaluate((target) => {
        const clipboardData = new DataTransfer()
        clipboardData.items.add(new File(['GIF89a'], 'pasted.gif', { type: 'image/gif' }))
        target.dispatchEvent(new ClipboardEvent('paste', { clipboardData, bubbles: true, cancelable: true }))
      })
    await paste('body')
    await panelOf(page).getByText('1 file uploaded').waitFor()
    await page.getByRole('button', { name: 'Close the list of uploads' }).click()
    await page.getByRole('button', { name: 'More for pasted.gif' }).click()
    await page.getByRole('menuitem', { name: 'Rename' }).click()
    await page.getByRole('dialog').getByLabel('Name').waitFor()
    await paste('[role=dialog] input')
    expect(await panelOf(page).count()).toBe(0)
  })
}, 60_000)

/** The names of the newest files of the tenant, as the API lists them. */
async function newestNames(page: Page, count: number): Promise<string[]> {
  const names: string[] = []
  let after: string | null = null
  while (names.length < count) {
    const first = Math.min(100, count - names.length)
    const answer: FileNames = await page.evaluate(
      async (variables) => {
        const query = `query ($first: Int, $after: String) {
        files(first: $first, after: $after) { edges { cursor node { name } } } }`
        const headers = { 'content-type': 'application/json', 'x-filegraph-csrf': '1', 'x-filegraph-tenant': 'acme' }
        const response = await fetch('/graphql', {
          method: 'POST',
          headers,
          body: JSON.stringify({ query, variables }),
        })
        return ((await response.json()) as { data: FileNames }).data
      },
      { first, after },
    )
    names.push(...answer.files.edges.map(({ node }) => node.name))
    after = answer.files.edges.at(-1)?.cursor ?? null
  }
  return names
}

interface FileNames {
  readonly files: { readonly edges: { readonly cursor: string; readonly node: { readonly name: string } }[] }
}

/** A real drop, as from the desktop. */
async function dropPaths(page: Page, files: string[]) {
  const cdp = await page.context().newCDPSession(page)
  const data = { items: [], files, dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await cdp.send('Input.dispatchDragEvent', { type, x: 600, y: 400, data })
  }
  await page.waitForTimeout(300)
}

/** Whether the page stops the browser from opening a dropped file. */
const isDropRefused = (page: Page) =>
  page.evaluate(() => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File(['x'], 'x.html', { type: 'text/html' }))
    const options = { dataTransfer, bubbles: true, cancelable: true }
    return ['dragover', 'drop'].every((type) => !document.body.dispatchEvent(new DragEvent(type, options)))
  })

/** 254 files in three folders, an empty folder, three system files, and a link to the top folder. */
async function makeTree(): Promise<string> {
  const root = join(directory, 'Photos')
  await mkdir(join(root, 'many'), { recursive: true })
  await mkdir(join(root, 'مجلد', 'deeper'), { recursive: true })
  await mkdir(join(root, 'empty'))
  for (let at = 0; at < 250; at += 1) await writeFile(join(root, 'many', `photo ${at}.txt`), `${at}`)
  await writeFile(join(root, 'top.txt'), 'top')
  await writeFile(join(root, '.env'), 'A=1')
  await writeFile(join(root, 'مجلد', 'صورة.txt'), 'picture')
  await writeFile(join(root, 'مجلد', 'deeper', 'deep.txt'), 'deep')
  for (const name of ['.DS_Store', 'Thumbs.db', '._top.txt']) await writeFile(join(root, name), 'junk')
  await symlink(root, join(root, 'loop'))
  return root
}
