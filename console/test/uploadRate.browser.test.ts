import { expect, test } from 'vitest'
import { type Measured, tasksOf, uploadMany, watchTasks } from './measureUploads.ts'
import { shareProduct, unlimited } from './sharedProduct.ts'
import { isPut, makeFiles, panelOf } from './uploadPage.ts'

const product = shareProduct(unlimited)

test('a thousand files upload as fast as thirty, without a long task and with few nodes', async () => {
  await product.signedIn({}, async (page) => {
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
      .getByText(/^\d,?\d{3} files$/)
      .first()
      .waitFor()
  })
}, 400_000)

test('ten thousand dropped files do not freeze the page, and all of them can be cancelled', async () => {
  await product.signedIn({}, async (page) => {
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
