import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { onPage, openBrowser } from './openBrowser.ts'
import { type Instance, startFilegraph } from './startFilegraph.ts'
import { workOf } from './scrollTable.ts'
import { rowOf, signIn } from './walk.ts'

let instance: Instance
let browser: Browser
let directory: string

beforeAll(async () => {
  // The limit on operations is not what is measured here.
  const settings = { RATE_LIMIT_OPERATIONS_PER_MINUTE: '0' }
  ;[instance, browser] = await Promise.all([startFilegraph(settings), openBrowser()])
  directory = await mkdtemp(join(tmpdir(), 'filegraph-drops-'))
}, 180_000)

afterAll(async () => {
  await browser?.close()
  await instance?.stop()
  if (directory) await rm(directory, { recursive: true, force: true })
})

const panelOf = (page: Page) => page.getByRole('region', { name: 'Uploads' })

test('a thousand files upload as fast as thirty, without a long task and with few nodes', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
    await uploadMany(page, 10)
    const before = await uploadMany(page, 30)
    const many = await uploadMany(page, 1000)
    const after = await uploadMany(page, 30)
    const word = ({ perSecond, workMs, longest, longShare, nodes }: Measured) =>
      `${perSecond.toFixed(1)} files/s, ${workMs.toFixed(1)} ms of work a file, longest task ${longest.toFixed(0)} ms, ` +
      `${(longShare * 100).toFixed(1)} % of the time in tasks over 100 ms, ${nodes} nodes`
    console.log(`30: ${word(before)}\n1,000: ${word(many)}\n30: ${word(after)}`)
    expect(many.perSecond).toBeGreaterThan(0.8 * Math.min(before.perSecond, after.perSecond))
    // By the processor's clock: what else the machine does is not counted.
    expect(many.workMs).toBeLessThan(1.2 * Math.max(before.workMs, after.workMs))
    // By the wall clock, on which a busy machine stretches any task: tasks that grow with the list would be most of the time.
    expect(many.longShare).toBeLessThan(0.02)
    expect(many.nodes).toBeLessThan(1_000)
    await page
      .getByText(/^\d{4} files$|^1,\d{3} files$/)
      .first()
      .waitFor()
  })
}, 400_000)

test('ten thousand dropped files do not freeze the page, and all of them can be cancelled', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
    await page.route(isPut, () => undefined)
    const files = await makeFiles(page, 10_000)
    await watchTasks(page)
    await page.dispatchEvent('body', 'drop', { dataTransfer: files })
    await panelOf(page).getByText('of 10,000 files').waitFor()
    expect(await panelOf(page).locator('*').count()).toBeLessThan(1_000)
    await panelOf(page).getByRole('button', { name: 'Cancel all' }).click()
    await panelOf(page).getByRole('heading', { name: 'Upload cancelled' }).waitFor()
    const { longest, longestFrame } = await tasksOf(page)
    console.log(`10,000 files: longest task ${longest.toFixed(0)} ms, longest frame ${longestFrame.toFixed(0)} ms`)
    expect(Math.max(longest, longestFrame)).toBeLessThan(1_000)
  })
}, 120_000)

test('a dropped folder is uploaded flat, with everything below it but what systems leave behind', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
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
    await onPage(browser, {}, async (page) => {
      await signIn(page, instance.url, 'ada@acme.example')
      await page.goto(`${instance.url}/t/acme/${name}`)
      await page.getByRole('heading', { level: 1 }).waitFor()
      await page.waitForLoadState('networkidle')
      const path = join(directory, `dropped on ${name}.txt`)
      await writeFile(path, name)
      await dropPaths(page, [path])
      await panelOf(page).getByRole('heading', { name: '1 file uploaded' }).waitFor()
      expect(page.url()).toBe(`${instance.url}/t/acme/${name}`)
      expect(page.context().pages()).toHaveLength(1)
    })
  },
  60_000,
)

test('files dropped where nothing takes them never replace the page', async () => {
  await onPage(browser, {}, async (page) => {
    const path = join(directory, 'stray.html')
    await writeFile(path, '<p>stray</p>')
    for (const place of ['/sign-in', '/nowhere', '/graphiql']) {
      await page.goto(`${instance.url}${place}`)
      await page.waitForLoadState('networkidle')
      const { url } = { url: page.url() }
      await dropPaths(page, [path])
      expect(await isDropRefused(page)).toBe(true)
      expect(page.url()).toBe(url)
      expect(page.context().pages()).toHaveLength(1)
    }
    await signIn(page, instance.url, 'vic@acme.example')
    await dropPaths(page, [path])
    await page.getByText('You can view and download here, but not upload.').waitFor()
    expect(await panelOf(page).count()).toBe(0)
  })
}, 90_000)

test('a pasted picture is uploaded, and pasting into a field uploads nothing', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
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

test('failures are grouped with their names and reason, and are tried again together', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
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

test('signing out in the middle of uploads asks first, and names how many would be lost', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
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
    await signIn(page, instance.url, 'ada@acme.example')
    expect(await panelOf(page).count()).toBe(0)
  })
}, 90_000)

test.each(['500', 'offline'])(
  'a sign-out that fails (%s) leaves the person where they are, and can be repeated',
  async (how) => {
    await onPage(browser, {}, async (page) => {
      await signIn(page, instance.url, 'ada@acme.example')
      await page.getByRole('link', { name: 'Trash' }).click()
      const isSession = `${instance.url}/session`
      await page.route(isSession, (route) => (how === '500' ? route.fulfill({ status: 500 }) : route.abort()))
      await chooseSignOut(page)
      const dialog = page.getByRole('alertdialog', { name: 'You are still signed in' })
      await dialog.getByText('You are still signed in here. Try again in a moment.').waitFor()
      await dialog.getByRole('button', { name: 'Try again' }).click()
      await dialog.getByRole('alert').waitFor()
      expect(page.url()).toBe(`${instance.url}/t/acme/trash`)
      await page.unroute(isSession)
      await dialog.getByRole('button', { name: 'Try again' }).click()
      await page.getByLabel('E-mail').waitFor()
      await page.goto(`${instance.url}/t/acme/files`)
      await page.getByLabel('E-mail').waitFor()
    })
  },
  60_000,
)

test('uploads wait while the session has ended, and continue after the same person signs in again', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
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
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
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
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'sam@acme.example')
    await page.goto(`${instance.url}/t/acme/files`)
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
    await page.goto(`${instance.url}/t/acme/files`)
    await rowOf(page, 'going on 1.txt').waitFor()
  })
}, 60_000)

test('a new version keeps the name of the file, and asks if the chosen one has another name or type', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
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

const isPut = (url: URL) => url.searchParams.has('X-Amz-Signature')

/** Keeps bytes from arriving until the returned function is called. */
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

/** Without leaving the page, which would take the uploads along. */
async function signInHere(page: Page, email: string) {
  await page.getByLabel('E-mail').fill(email)
  await page.getByLabel('Password').fill('filegraph-demo')
  await page.getByRole('button', { name: 'Sign in' }).click()
  await page.getByRole('table', { name: 'Files' }).waitFor()
}

const makeFiles = (page: Page, count: number, label = `many ${count}`) =>
  page.evaluateHandle(
    ({ files, name }) => {
      const data = new DataTransfer()
      for (let at = 0; at < files; at += 1) {
        data.items.add(new File([`${name} ${at}`], `${name} ${at}.txt`, { type: 'text/plain' }))
      }
      return data
    },
    { files: count, name: label },
  )

interface Tasks {
  /** Between two frames, in milliseconds. */
  readonly longestFrame: number
  /** In milliseconds. */
  readonly longest: number
  /** The part of the time that went into tasks of more than 100 ms. */
  readonly longShare: number
}

interface Measured extends Tasks {
  readonly perSecond: number
  /** Script, layout and style for a file, in milliseconds of the processor. */
  readonly workMs: number
  /** Elements in the panel, at most. */
  readonly nodes: number
}

async function uploadMany(page: Page, count: number): Promise<Measured> {
  const files = await makeFiles(page, count)
  const cdp = await page.context().newCDPSession(page)
  await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
  const workBefore = await workOf(cdp)
  await watchTasks(page)
  const started = Date.now()
  await page.dispatchEvent('body', 'drop', { dataTransfer: files })
  const panel = panelOf(page)
  const end = panel.getByRole('heading', { name: `${count.toLocaleString('en')} files uploaded` })
  let nodes = 0
  while ((await end.count()) === 0) {
    nodes = Math.max(nodes, await panel.locator('*').count())
    await page.waitForTimeout(100)
    if (Date.now() - started > 300_000) throw new Error(await panel.innerText())
  }
  const perSecond = (count * 1000) / (Date.now() - started)
  const tasks = await tasksOf(page)
  const workMs = (((await workOf(cdp)) - workBefore) * 1000) / count
  await cdp.detach()
  await page.getByRole('button', { name: 'Close the list of uploads' }).click()
  return { perSecond, workMs, nodes, ...tasks }
}

/** Notes the long tasks of the page from now on. */
const watchTasks = (page: Page) =>
  page.evaluate(() => {
    const noted: number[] = []
    const frames = { last: performance.now(), longest: 0 }
    Object.assign(window, { noted, frames, notedFrom: performance.now() })
    const frame = (now: number) => {
      frames.longest = Math.max(frames.longest, now - frames.last)
      frames.last = now
      requestAnimationFrame(frame)
    }
    requestAnimationFrame(frame)
    new PerformanceObserver((list) => noted.push(...list.getEntries().map(({ duration }) => duration))).observe({
      type: 'longtask',
    })
  })

const tasksOf = (page: Page): Promise<Tasks> =>
  page.evaluate(() => {
    const { noted, frames, notedFrom } = window as unknown as {
      noted: number[]
      frames: { longest: number }
      notedFrom: number
    }
    const long = noted.filter((duration) => duration > 100).reduce((sum, duration) => sum + duration, 0)
    return {
      longest: Math.max(0, ...noted),
      longestFrame: frames.longest,
      longShare: long / (performance.now() - notedFrom),
    }
  })

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

/** A real drop, as the browser gets it from the desktop. */
async function dropPaths(page: Page, files: string[]) {
  const cdp = await page.context().newCDPSession(page)
  const data = { items: [], files, dragOperationsMask: 1 }
  for (const type of ['dragEnter', 'dragOver', 'drop'] as const) {
    await cdp.send('Input.dispatchDragEvent', { type, x: 600, y: 400, data })
  }
  await page.waitForTimeout(300)
}

/** Whether the page keeps the browser from opening a dropped file. */
const isDropRefused = (page: Page) =>
  page.evaluate(() => {
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(new File(['x'], 'x.html', { type: 'text/html' }))
    const options = { dataTransfer, bubbles: true, cancelable: true }
    return ['dragover', 'drop'].every((type) => !document.body.dispatchEvent(new DragEvent(type, options)))
  })

/** 254 files in three folders, an empty folder, three files of systems, and a link that leads back to the top. */
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
