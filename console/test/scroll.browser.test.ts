import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { shareProduct, unlimited } from './sharedProduct.ts'
import { type Stretch, scrollTable, scrollTo } from './scrollTable.ts'
import { seedAuditLog, seedFiles } from './seedFiles.ts'

const seeded = 100_000
const seededEntries = 20_000

const product = shareProduct(unlimited, async ({ directory }) => {
  await seedFiles(directory, 'acme', seeded)
  await seedAuditLog(directory, 'acme', seededEntries)
})

test('the list of 100,000 files scrolls with the same work and memory 6,000 rows deep as near its beginning', async () => {
  await product.signedIn({}, async (page) => {
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
    await scrollTable(page, cdp, { until: 300, rowsPerFrame: 4 })
    const early = await scrollTable(page, cdp, { until: 1_300, rowsPerFrame: 16 })
    await scrollTable(page, cdp, { until: 6_000, rowsPerFrame: 40 })
    const deep = await scrollTable(page, cdp, { until: 7_000, rowsPerFrame: 16 })
    console.log(`Rows 300 to 1,300: ${wordStretch(early)}\nRows 6,000 to 7,000: ${wordStretch(deep)}`)
    expect(Math.max(early.rowsInDocument, deep.rowsInDocument)).toBeLessThan(60)
    expect(deep.workMs).toBeLessThan(2 * early.workMs)
    // 5,700 rows in memory would take five times as much.
    expect(deep.heapBytes - early.heapBytes).toBeLessThan(10_000_000)
    // Dropped rows come back at their places when they are scrolled to.
    const numbers = await numbersAround(page, 5_000)
    for (const row of [1_000, 0]) numbers.push(...(await numbersAround(page, row)))
    expect(new Set(numbers.map(({ row, file }) => row + file)).size).toBe(1)
  })
}, 240_000)

test('the audit log of 20,000 entries scrolls with the same elements and memory 6,000 entries deep as near its beginning', async () => {
  await product.signedIn({}, async (page) => {
    await page.goto(`${product.url}/t/acme/audit`)
    await page.getByRole('table', { name: 'Audit log' }).waitFor()
    const cdp = await page.context().newCDPSession(page)
    await cdp.send('Performance.enable', { timeDomain: 'threadTicks' })
    await scrollTable(page, cdp, { until: 300, rowsPerFrame: 4 })
    const early = await scrollTable(page, cdp, { until: 1_300, rowsPerFrame: 16 })
    await scrollTable(page, cdp, { until: 6_000, rowsPerFrame: 40 })
    const deep = await scrollTable(page, cdp, { until: 7_000, rowsPerFrame: 16 })
    const nodes = await page.evaluate(() => document.querySelectorAll('*').length)
    console.log(
      `Entries 300 to 1,300: ${wordStretch(early)}\nEntries 6,000 to 7,000: ${wordStretch(deep)}; ${nodes} elements`,
    )
    expect(Math.max(early.rowsInDocument, deep.rowsInDocument)).toBeLessThan(60)
    expect(nodes).toBeLessThan(1_500)
    expect(deep.heapBytes - early.heapBytes).toBeLessThan(10_000_000)
    // A dropped entry comes back at its place, and its details have an address.
    await scrollTo(page, 5_000)
    const sentence = await page.locator('.table-body [aria-rowindex="5002"] .entry-open').innerText()
    await scrollTo(page, 0)
    await scrollTo(page, 5_000)
    const entry = page.locator('.table-body [aria-rowindex="5002"] .entry-open')
    expect(await entry.innerText()).toBe(sentence)
    await entry.click()
    await page.getByRole('dialog', { name: 'Audit entry' }).getByText('192.0.2.7').waitFor()
    await page.reload()
    await page.getByRole('dialog', { name: 'Audit entry' }).getByText('192.0.2.7').waitFor()
  })
}, 240_000)

/** Scrolls to `row` and waits for the rows there. Returns the row index of each, and the number in its name. */
async function numbersAround(page: Page, row: number): Promise<{ row: number; file: number }[]> {
  await scrollTo(page, row)
  const rows = await page.locator('.table-body [role=row]').all()
  const seen = await Promise.all(
    rows.map(async (each) => ({
      row: Number(await each.getAttribute('aria-rowindex')),
      file: Number(/^file (\d+)\.pdf$/.exec(await each.locator('.file-open').innerText())?.[1] ?? Number.NaN),
    })),
  )
  expect(seen.some((each) => each.row === row + 2)).toBe(true)
  // The newest files are those of the demo, whose names have no number.
  return seen.filter(({ file }) => !Number.isNaN(file))
}

function wordStretch({ framesPerSecond, workMs, slowestMs, heapBytes, rowsInDocument }: Stretch): string {
  const frames = `${framesPerSecond.toFixed(0)} frames a second, ${workMs.toFixed(1)} ms of work in one, ${slowestMs.toFixed(0)} ms at most between two`
  return `${frames}; ${rowsInDocument} rows in the document; heap ${(heapBytes / 1e6).toFixed(1)} MB`
}
