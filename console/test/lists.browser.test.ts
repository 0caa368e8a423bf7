import { randomUUID } from 'node:crypto'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { isolate } from '../src/ui/UserText.tsx'
import { onPage, openBrowser } from './openBrowser.ts'
import { runSql, seedFiles, seedPeople } from './seedFiles.ts'
import { type Instance, startFilegraph } from './startFilegraph.ts'
import { choose, rowOf, signIn, upload } from './walk.ts'

let instance: Instance
let browser: Browser

beforeAll(async () => {
  const settings = { RATE_LIMIT_OPERATIONS_PER_MINUTE: '0' }
  ;[instance, browser] = await Promise.all([startFilegraph(settings), openBrowser()])
  await seedPeople(instance.directory, 'acme', 500)
}, 240_000)

afterAll(async () => {
  await browser?.close()
  await instance?.stop()
})

const pill = (page: Page) => page.getByRole('button', { name: /new (file|entr|run)|Show changes/ })
/** What the browser tells a page that people come back to. */
const comeBack = async (page: Page) => {
  await page.waitForTimeout(3_100)
  await page.evaluate(() => window.dispatchEvent(new Event('focus')))
}

async function twoTabs(run: (one: Page, other: Page, context: BrowserContext) => Promise<void>) {
  await onPage(browser, {}, async (one) => {
    await signIn(one, instance.url, 'ada@acme.example')
    const other = await one.context().newPage()
    other.setDefaultTimeout(15_000)
    await other.goto(`${instance.url}/t/acme/files`)
    await other.getByRole('table', { name: 'Files' }).waitFor()
    await run(one, other, one.context())
  })
}

const nextName = () => `from elsewhere ${randomUUID().slice(0, 8)}.pdf`

/** By another client than the console of this browser. */
const addFileElsewhere = async (name: string) => {
  await seedFiles(instance.directory, 'acme', 1)
  await runSql(
    instance.directory,
    `update files set original_file_name = '${name}', uploaded_at = now(), updated_at = now()
     where original_file_name = 'file 1.pdf'`,
  )
}

test('what another tab uploads appears by itself at the top of a list that nobody touches', async () => {
  await twoTabs(async (one, other) => {
    await one.mouse.move(5, 5)
    const name = nextName()
    await upload(other, name)
    await rowOf(one, name).waitFor()
    expect(await pill(one).count()).toBe(0)
  })
}, 90_000)

test('new files are offered to people who read further down, and move nothing before they are asked for', async () => {
  await seedFiles(instance.directory, 'acme', 120)
  await runSql(
    instance.directory,
    `update files set original_file_name = 'oldest.pdf' where original_file_name = 'file 1.pdf'`,
  )
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
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
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
    await page.locator('.file-open').first().focus()
    await addFileElsewhere(nextName())
    await comeBack(page)
    await page.getByRole('button', { name: '1 new file', exact: true }).press('Enter')
    await pill(page).waitFor({ state: 'detached' })
  })
}, 90_000)

test('a file that this tab adds above the view does not move it', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
    await page.evaluate(() => document.querySelector('.table')?.scrollTo(0, 1_800))
    await page.waitForTimeout(500)
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
    await page.waitForTimeout(1_000)
    expect(await seen()).toBe(before)
  })
}, 90_000)

test('Undo goes away once the file was purged in another tab', async () => {
  await twoTabs(async (one, other) => {
    const name = nextName()
    await upload(one, name)
    await choose(one, name, 'Delete')
    const undo = one.getByRole('button', { name: 'Undo' })
    await undo.waitFor()
    await undo.focus()
    await other.goto(`${instance.url}/t/acme/trash`)
    await choose(other, name, 'Delete forever')
    await other.getByRole('alertdialog').getByRole('button', { name: 'Delete forever' }).click()
    await undo.waitFor({ state: 'detached' })
  })
}, 90_000)

test('Undo of what was purged elsewhere says that it is gone for good, and by its name', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
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

test('a list is narrowed to a person whom no loaded row names, and the name is there after a reload', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
    await page.goto(`${instance.url}/t/acme/audit`)
    const box = page.getByRole('combobox', { name: 'By whom' })
    await box.fill('gUÉST 48')
    await page.getByRole('option', { name: 'Guest 487' }).waitFor()
    // 48, 480 to 489, and 148 to 448.
    expect(await page.getByRole('listbox').getByRole('option').count()).toBe(15)
    await box.fill('guest487@host')
    await page.getByRole('listbox').getByRole('option').nth(1).waitFor({ state: 'detached' })
    await page.keyboard.press('ArrowDown')
    await page.keyboard.press('Enter')
    await page.getByText('Nothing happened').waitFor()
    expect(await box.inputValue()).toBe('Guest 487')
    await page.reload()
    await page.getByText('Nothing happened').waitFor()
    await page.waitForFunction(
      () => document.querySelector<HTMLInputElement>('.person-filter input')?.value === 'Guest 487',
    )
    await page.getByRole('button', { name: 'By whom: anybody' }).click()
    await page.getByRole('table', { name: 'Audit log' }).waitFor()
    expect(new URL(page.url()).search).toBe('')
  })
}, 90_000)

test('the search for people says that nobody matches, and why it failed', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
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

test('somebody who is not known in the tenant is told as such, and can be cleared', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
    await page.goto(`${instance.url}/t/acme/files?by=nonsense`)
    await page.getByText('No file fits').waitFor()
    expect(await page.getByRole('combobox', { name: 'Uploaded by' }).inputValue()).toBe('Unknown person')
    await page.getByRole('button', { name: 'Uploaded by: anybody' }).click()
    await page.getByRole('table', { name: 'Files' }).waitFor()
  })
}, 60_000)

const openAudit = async (page: Page, search = '') => {
  await page.goto(`${instance.url}/t/acme/audit${search}`)
  await page.getByRole('heading', { name: 'Audit log' }).waitFor()
  await page.getByRole('group', { name: 'From' }).waitFor()
}
const typeDay = async (page: Page, label: string, digits: string) => {
  await page.getByRole('group', { name: label }).getByRole('spinbutton').first().click()
  await page.keyboard.type(digits)
}

test.each(['en-US', 'de-DE', 'ar-EG'])(
  'a day is typed digit by digit in a browser set to %s, and counts once it is whole',
  async (locale) => {
    await onPage(browser, { locale }, async (page) => {
      await signIn(page, instance.url, 'ada@acme.example')
      await openAudit(page)
      const asked: string[] = []
      page.on('framenavigated', (frame) => asked.push(frame.url()))
      await typeDay(page, 'From', '01022026')
      expect(asked).toEqual([])
      await page.keyboard.press('Enter')
      await page.waitForFunction(() => location.search.includes('from=2026-01-02'))
      await typeDay(page, 'Until', '12312029')
      await page.getByRole('heading', { name: 'Audit log' }).click()
      await page.waitForFunction(() => location.search.includes('until=2029-12-31'))
      expect(asked.length).toBe(2)
      await page.getByRole('button', { name: 'From: any day' }).click()
      await page.waitForFunction(() => !location.search.includes('from='))
    })
  },
  90_000,
)

test('a day is chosen from the calendar, and erased segment by segment', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
    await openAudit(page, '?from=2026-03-10')
    const group = page.getByRole('group', { name: 'From' })
    await group.getByRole('button', { name: 'Choose a day' }).click()
    await page.getByRole('gridcell').getByText('17', { exact: true }).click()
    await page.waitForFunction(() => location.search === '?from=2026-03-17')
    // A half erased day changes nothing.
    await group.getByRole('spinbutton').first().click()
    for (let presses = 0; presses < 2; presses += 1) await page.keyboard.press('Backspace')
    await page.getByRole('heading', { name: 'Audit log' }).click()
    await page.waitForTimeout(300)
    expect(new URL(page.url()).search).toBe('?from=2026-03-17')
    expect(await group.getByRole('spinbutton').allInnerTexts()).toEqual(['03', '17', '2026'])
  })
}, 60_000)

test('a range the wrong way round moves along, and an address with days that do not exist says nothing', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
    await openAudit(page, '?until=2026-01-05')
    await typeDay(page, 'From', '02012026')
    await page.keyboard.press('Enter')
    await page.waitForFunction(() => location.search === '?from=2026-02-01&until=2026-02-01')
    for (const nonsense of ['?from=2026-02-31', '?until=soon', '?from=0002-01-01&until=99999-01-01']) {
      await openAudit(page, nonsense)
      await page.getByRole('table', { name: 'Audit log' }).waitFor()
    }
  })
}, 60_000)

test.each(['Pacific/Kiritimati', 'America/St_Johns', 'UTC'])(
  'a day begins and ends at midnight in %s',
  async (timezoneId) => {
    await onPage(browser, { timezoneId }, async (page) => {
      await signIn(page, instance.url, 'ada@acme.example')
      const asked = page.waitForRequest((request) => (request.postData() ?? '').includes('AuditPage'))
      await openAudit(page, '?from=2026-03-29&until=2026-03-29')
      const { variables } = JSON.parse((await asked).postData() ?? '{}') as {
        variables: { filter: Record<string, string> }
      }
      const midnights = await page.evaluate(() =>
        [new Date(2026, 2, 29), new Date(2026, 2, 30)].map((d) => d.toISOString()),
      )
      expect([variables.filter['since'], variables.filter['until']]).toEqual(midnights)
    })
  },
  60_000,
)

test('a name that runs from right to left moves no quote and no word around it', async () => {
  await onPage(browser, {}, async (page) => {
    await signIn(page, instance.url, 'ada@acme.example')
    const name = 'تقرير 2026 🎉.pdf'
    await upload(page, name)
    await page.getByRole('button', { name: `Download ${isolate(name)}` }).waitFor()
    // The dot of an ending in Latin letters is in front of it.
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
    await openAudit(page)
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
