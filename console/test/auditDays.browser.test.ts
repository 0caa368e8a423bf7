import type { Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { shareProduct, unlimited } from './sharedProduct.ts'

const product = shareProduct(unlimited)

const openAudit = async (page: Page, search = '') => {
  await page.goto(`${product.url}/t/acme/audit${search}`)
  await page.getByRole('heading', { name: 'Audit log' }).waitFor()
  await page.getByRole('group', { name: 'From' }).waitFor()
}
const typeDay = async (page: Page, label: string, digits: string) => {
  await page.getByRole('group', { name: label }).getByRole('spinbutton').first().click()
  await page.keyboard.type(digits)
}

test.each(['en-US', 'de-DE', 'ar-EG'])(
  'a day is typed digit by digit in a browser set to %s, and takes effect once it is complete',
  async (locale) => {
    await product.signedIn({ locale }, async (page) => {
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

test('a day can be chosen from the calendar and erased segment by segment', async () => {
  await product.signedIn({}, async (page) => {
    await openAudit(page, '?from=2026-03-10')
    const group = page.getByRole('group', { name: 'From' })
    await group.getByRole('button', { name: 'Choose a day' }).click()
    await page.getByRole('gridcell').getByText('17', { exact: true }).click()
    await page.waitForFunction(() => location.search === '?from=2026-03-17')
    // An incomplete day changes nothing.
    await group.getByRole('spinbutton').first().click()
    for (let presses = 0; presses < 2; presses += 1) await page.keyboard.press('Backspace')
    await page.getByRole('heading', { name: 'Audit log' }).click()
    await page.waitForTimeout(300)
    expect(new URL(page.url()).search).toBe('?from=2026-03-17')
    expect(await group.getByRole('spinbutton').allInnerTexts()).toEqual(['03', '17', '2026'])
  })
}, 60_000)

test('a reversed range moves its other end, and days that do not exist are ignored in an address', async () => {
  await product.signedIn({}, async (page) => {
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
    await product.signedIn({ timezoneId }, async (page) => {
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
