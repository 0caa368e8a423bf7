import { randomUUID } from 'node:crypto'
import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { isolate } from '../src/ui/UserText.tsx'
import { shareProduct, unlimited } from './sharedProduct.ts'
import { runSql, seedFiles, seedPeople } from './seedFiles.ts'
import { choose, rowOf, upload } from './walk.ts'

const product = shareProduct(unlimited, ({ directory }) => seedPeople(directory, 'acme', 500))

const pill = (page: Page) => page.getByRole('button', { name: /new (file|entr|run)|Show changes/ })
/** Sends the event of a window that gets the focus again, once the list may be polled. */
const comeBack = async (page: Page) => {
  await page.waitForTimeout(3_100)
  await page.evaluate(() => window.dispatchEvent(new Event('focus')))
}

async function twoTabs(run: (one: Page, other: Page) => Promise<void>) {
  await product.signedIn({}, async (one) => {
    const other = await one.context().newPage()
    other.setDefaultTimeout(15_000)
    await other.goto(`${product.url}/t/acme/files`)
    await other.getByRole('table', { name: 'Files' }).waitFor()
    await run(one, other)
  })
}

const rowPx = 60
const nextName = () => `from elsewhere ${randomUUID().slice(0, 8)}.pdf`

/** Adds a file as another client would. */
const addFileElsewhere = async (name: string) => {
  await seedFiles(product.directory, 'acme', 1)
  await runSql(
    product.directory,
    `update files set original_file_name = '${name}', uploaded_at = now(), updated_at = now()
     where original_file_name = 'file 1.pdf'`,
  )
}

test('an upload of another tab appears at the top of a list that nobody uses', async () => {
  await twoTabs(async (one, other) => {
    await one.mouse.move(5, 5)
    const name = nextName()
    await upload(other, name)
    await rowOf(one, name).waitFor()
    expect(await pill(one).count()).toBe(0)
  })
}, 90_000)

test('new files are offered to people who read further down, and move no row until the button is pressed', async () => {
  await seedFiles(product.directory, 'acme', 120)
  await runSql(
    product.directory,
    `update files set original_file_name = 'oldest.pdf' where original_file_name = 'file 1.pdf'`,
  )
  await product.signedIn({}, async (page) => {
    await page.evaluate(() => document.querySelector('.table')?.scrollTo(0, 1_800))
    const rowAt = () =>
      page.evaluate(() => document.elementFromPoint(600, 500)?.closest('[role=row]')?.textContent ?? null)
    await expect.poll(rowAt).not.toBeNull()
    const before = await rowAt()
    const names = [nextName(), nextName()]
    for (const name of names) await addFileElsewhere(name)
    await comeBack(page)
    await page.getByRole('button', { name: '2 new files' }).waitFor()
    expect(await rowAt()).toBe(before)
    await page.getByRole('button', { name: '2 new files' }).click()
    for (const name of names) await rowOf(page, name).waitFor()
    expect(await page.evaluate(() => document.querySelector('.table')?.scrollTop)).toBe(0)
    await pill(page).waitFor({ state: 'detached' })
  })
}, 90_000)

test('new files are offered to people whose focus is in a row, although the list is at its top', async () => {
  await product.signedIn({}, async (page) => {
    await page.locator('.file-open').first().focus()
    await addFileElsewhere(nextName())
    await comeBack(page)
    await page.getByRole('button', { name: '1 new file', exact: true }).press('Enter')
    await pill(page).waitFor({ state: 'detached' })
  })
}, 90_000)

test('a file that this tab adds above the view does not move it', async () => {
  await product.signedIn({}, async (page) => {
    await page.evaluate(() => document.querySelector('.table')?.scrollTo(0, 1_800))
    const height = () => page.locator('.table-body').evaluate((body) => body.clientHeight)
    // The second page has come. The first one has 50 rows.
    await expect.poll(height).toBeGreaterThan(50 * rowPx)
    const heightBefore = await height()
    const seen = () =>
      page.evaluate(() => {
        const row = document.elementFromPoint(600, 500)?.closest('[role=row]')
        return `${row?.textContent} at ${Math.round(row?.getBoundingClientRect().top ?? 0)}`
      })
    const before = await seen()
    const chooser = page.waitForEvent('filechooser')
    await page.getByRole('button', { name: 'Upload', exact: true }).click()
    await (await chooser).setFiles({ name: nextName(), mimeType: 'text/plain', buffer: Buffer.from('one') })
    await page.getByRole('region', { name: 'Uploads' }).getByText('1 file uploaded').waitFor()
    await expect.poll(height).toBe(heightBefore + rowPx)
    expect(await seen()).toBe(before)
  })
}, 90_000)

test('Undo disappears once the file is purged in another tab', async () => {
  await twoTabs(async (one, other) => {
    const name = nextName()
    await upload(one, name)
    await choose(one, name, 'Delete')
    const undo = one.getByRole('button', { name: 'Undo' })
    await undo.waitFor()
    await undo.focus()
    await other.goto(`${product.url}/t/acme/trash`)
    await choose(other, name, 'Delete forever')
    await other.getByRole('alertdialog').getByRole('button', { name: 'Delete forever' }).click()
    await undo.waitFor({ state: 'detached' })
  })
}, 90_000)

test('Undo of a file that was purged elsewhere says that it cannot be restored, and names it', async () => {
  await product.signedIn({}, async (page) => {
    const name = nextName()
    await upload(page, name)
    await choose(page, name, 'Delete')
    await page.getByRole('button', { name: 'Undo' }).focus()
    await page.evaluate(async () => {
      const ask = async (query: string) => {
        const headers = { 'content-type': 'application/json', 'x-filegraph-csrf': '1', 'x-filegraph-tenant': 'acme' }
        const answer = await fetch('/graphql', { method: 'POST', headers, body: JSON.stringify({ query }) })
        return (await answer.json()) as { data: { files: { nodes: { id: string }[] } } }
      }
      const { data } = await ask('{ files(first: 1, filter: { state: TRASHED }) { nodes { id } } }')
      await ask(`mutation { purgeFile(input: { id: "${data.files.nodes[0]?.id}" }) { __typename } }`)
    })
    await page.getByRole('button', { name: 'Undo' }).click()
    await page.getByText('was deleted forever and cannot be restored').waitFor()
  })
}, 90_000)

test('the rows that use a file are loaded page by page, and a page that failed is loaded by the next press', async () => {
  await product.signedIn({}, async (page) => {
    const name = nextName()
    await upload(page, name)
    await runSql(
      product.directory,
      `insert into attachments (tenant_id, id, file_id, owner_type, owner_id, slot, created_by, created_at)
       select tenant_id, uuidv7(), id, 'invoice', n, 'default', uploaded_by, now() + n * interval '1 second'
       from files, generate_series(1, 130) n where original_file_name = '${name}'`,
    )
    await page.getByRole('button', { name, exact: true }).click()
    const users = page.getByRole('region', { name: 'Used by' })
    const invoices = () => users.locator('.attachment-owner').allInnerTexts()
    const invoicesTo = (last: number) => Array.from({ length: last }, (_, at) => `invoice ${at + 1}`)
    const more = users.getByRole('button', { name: 'Show more' })
    await more.waitFor()
    expect(await invoices()).toEqual(invoicesTo(20))
    await page.route('**/graphql', (route) => route.abort())
    await more.click()
    await users.getByRole('alert').waitFor()
    await page.unroute('**/graphql')
    await more.click()
    await expect.poll(invoices).toEqual(invoicesTo(120))
    await more.click()
    await expect.poll(invoices).toEqual(invoicesTo(130))
    expect(await more.count()).toBe(0)
  })
}, 60_000)

test('a list can be filtered by a person of no loaded row, and a reload keeps the name', async () => {
  await product.signedIn({}, async (page) => {
    await page.goto(`${product.url}/t/acme/audit`)
    const box = page.getByRole('combobox', { name: 'By whom' })
    await box.fill('gUÉST 48')
    await page.getByRole('option', { name: 'Guest 487' }).waitFor()
    // 48, 480 to 489, and 148 to 448.
    expect(await page.getByRole('listbox').getByRole('option').count()).toBe(15)
    await box.fill('guest487@host')
    await page.getByRole('listbox').getByRole('option').nth(1).waitFor({ state: 'detached' })
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByText('No entries').waitFor()
    expect(await box.inputValue()).toBe('Guest 487')
    await page.reload()
    await page.getByText('No entries').waitFor()
    await page.waitForFunction(
      () => document.querySelector<HTMLInputElement>('.person-filter input')?.value === 'Guest 487',
    )
    await page.getByRole('button', { name: 'By whom: anybody' }).click()
    await page.getByRole('table', { name: 'Audit log' }).waitFor()
    expect(new URL(page.url()).search).toBe('')
  })
}, 90_000)

test('the search for people says if nobody matches, and why it failed', async () => {
  await product.signedIn({}, async (page) => {
    const box = page.getByRole('combobox', { name: 'Uploaded by' })
    await box.fill('zzzz')
    await page.getByText('Nobody matches.').waitFor()
    await page.route('**/graphql', (route) => route.abort())
    await box.fill('zz')
    await page.getByText('No answer from the server').waitFor()
    await page.unroute('**/graphql')
    await box.fill('grace')
    await page.getByRole('option', { name: 'Grace Moreau' }).click()
    await page.waitForFunction(() => location.search.includes('by='))
    await rowOf(page, 'Jingle.wav').waitFor()
    await rowOf(page, 'Press kit.zip').waitFor({ state: 'detached' })
  })
}, 90_000)

test('an unknown person in the address is shown as unknown, and can be cleared', async () => {
  await product.signedIn({}, async (page) => {
    await page.goto(`${product.url}/t/acme/files?by=nonsense`)
    await page.getByText('No matching files').waitFor()
    expect(await page.getByRole('combobox', { name: 'Uploaded by' }).inputValue()).toBe('Unknown person')
    await page.getByRole('button', { name: 'Uploaded by: anybody' }).click()
    await page.getByRole('table', { name: 'Files' }).waitFor()
  })
}, 60_000)

test('a name that runs from right to left does not move the quotes and words around it', async () => {
  await product.signedIn({}, async (page) => {
    const name = 'تقرير 2026 🎉.pdf'
    await upload(page, name)
    await page.getByRole('button', { name: `Download ${isolate(name)}` }).waitFor()
    // The dot of a Latin ending is in front of the ending.
    const [dot = 0, letter = 0] = await page
      .getByRole('button', { name, exact: true })
      .locator('.file-label-part')
      .last()
      .evaluate((part) =>
        [0, 1].map((at) => {
          const range = document.createRange()
          range.setStart(part.firstChild ?? part, at)
          range.setEnd(part.firstChild ?? part, at + 1)
          return range.getBoundingClientRect().left
        }),
      )
    expect(dot).toBeLessThan(letter)
    await page.goto(`${product.url}/t/acme/audit`)
    const sentence = page.getByText(`Ada Lindqvist uploaded “${name}”`).first()
    // Left to right: the words, the opening quote, the name, the closing quote.
    const places = await sentence.evaluate((element) => {
      const leftOf = (node: Node, at: number) => {
        const range = document.createRange()
        range.setStart(node, at)
        range.setEnd(node, at + 1)
        return range.getBoundingClientRect().left
      }
      const quoted = Array.from(element.querySelectorAll('span')).at(-1)
      const [open, bdi, close] = Array.from(quoted?.childNodes ?? [])
      if (!open || !bdi || !close) return []
      return [leftOf(open, 0), (bdi as Element).getBoundingClientRect().left, leftOf(close, 0)]
    })
    expect(places).toHaveLength(3)
    expect(places).toEqual(places.toSorted((one, two) => one - two))
  })
}, 60_000)
