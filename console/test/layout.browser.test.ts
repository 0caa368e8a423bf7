import type { Locator, Page } from 'playwright-core'
import { expect, test } from 'vitest'
import { ask, mutate } from './askInPage.ts'
import { shareProduct } from './sharedProduct.ts'
import { runSql } from './seedFiles.ts'
import { rowOf, signIn } from './walk.ts'

const product = shareProduct()

test.each(['light', 'dark'] as const)(
  'the usage bar and the open page are visible in forced colours, in a %s scheme',
  async (colorScheme) => {
    await product.onPage({}, async (page) => {
      await runSql(product.directory, `update tenants set quota_bytes = 2 * (select sum(byte_size) from blobs)`)
      await page.emulateMedia({ forcedColors: 'active', colorScheme })
      await signIn(page, product.url, 'ada@acme.example')
      const bar = await pixelsOf(page, page.getByRole('meter', { name: 'Space used' }))
      // Without its border.
      const [full, empty] = [bar.at(4, bar.height / 2), bar.at(bar.width - 5, bar.height / 2)]
      expect(contrast(full, empty)).toBeGreaterThanOrEqual(3)

      const active = await pixelsOf(page, page.locator('.nav-link.active'))
      const other = await pixelsOf(page, page.locator('.nav-link:not(.active)').first())
      const [ground, plain] = [active, other].map(({ at }) => at(6, 6)) as [Colour, Colour]
      expect(contrast(ground, plain)).toBeGreaterThanOrEqual(3)
      expect(Math.max(...active.all().map((colour) => contrast(colour, ground)))).toBeGreaterThanOrEqual(4.5)
    })
  },
  60_000,
)

// At 721 px the sidebar leaves the least width for the page.
test.each([320, 360, 720, 721, 740, 768, 1024])(
  'every name has room beside badges in a window of %i px',
  async (width) => {
    await product.signedIn({ viewport: { width, height: 800 } }, async (page) => {
      const name = await wearBadges(page)
      await page.reload()
      await rowOf(page, name).locator('.file-badges').waitFor()
      const widths = await page.locator('.file-open').evaluateAll((all) => all.map((one) => one.clientWidth))
      expect(Math.min(...widths)).toBeGreaterThan(48)
      expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(width)
      const row = await boxOf(rowOf(page, name))
      for (const part of await rowOf(page, name).locator('.file-open, .badge, .file-summary, button').all()) {
        const { x, y, width: wide, height } = await boxOf(part)
        expect([
          x >= row.x,
          x + wide <= row.x + row.width + 1,
          y >= row.y,
          y + height <= row.y + row.height + 1,
        ]).toEqual([true, true, true, true])
      }
    })
  },
  60_000,
)

test('at 400 % zoom a row can be reached by pointer and keyboard, and its details can be read', async () => {
  // 1280 x 1024 px at 400 %.
  await product.signedIn({ viewport: { width: 320, height: 256 } }, async (page) => {
    // The whole row is visible at once.
    for (const row of [page.locator('.table-body .table-row').first(), page.locator('.table-body .table-row').last()]) {
      await row.scrollIntoViewIfNeeded()
      expect(await row.evaluate(isAllInSight)).toBe(true)
    }
    // The last file is damaged, and has no Download button.
    await page.locator('.file-open').first().click()
    const details = page.getByRole('dialog', { name: 'File details' })
    await details.getByRole('button', { name: 'Download', exact: true }).click({ trial: true })
    await details.getByText('SHA-256').scrollIntoViewIfNeeded()
    await page.keyboard.press('Escape')
    const [first, second] = [page.locator('.file-open').nth(0), page.locator('.file-open').nth(1)]
    const hasFocus = (name: Locator) => name.evaluate((one) => one === document.activeElement)
    await expect.poll(() => hasFocus(first)).toBe(true)
    await page.keyboard.press('ArrowDown')
    await expect.poll(() => hasFocus(second)).toBe(true)
    const { y, height } = await boxOf(second)
    expect([y >= 0, y + height <= 256]).toEqual([true, true])
    await page.keyboard.press('Enter')
    await details.waitFor()
  })
}, 60_000)

/** Gives the oldest file of Acme every badge: attaches it, puts it under hold and marks its bytes as damaged. */
async function wearBadges(page: Page): Promise<string> {
  const query = '{ files(first: 1, orderBy: OLDEST_FIRST) { nodes { id name attachmentCount hold { reason } } } }'
  const { files } = await ask<{
    files: { nodes: { id: string; name: string; attachmentCount: number; hold: object | null }[] }
  }>(page, query)
  const [file] = files.nodes
  if (!file) throw new Error('Acme has no file')
  const owner = { fileId: file.id, ownerType: 'invoice', ownerId: '1', slot: 'scan' }
  if (file.attachmentCount === 0) await mutate(page, 'attachFile', 'AttachFileInput', owner)
  if (!file.hold) await mutate(page, 'holdFile', 'HoldFileInput', { id: file.id, reason: 'Lawsuit' })
  await runSql(
    product.directory,
    `update blobs set quarantined_at = now(), quarantine_reason = 'DIFFERENT' from file_versions
      join files on files.id = file_versions.file_id
      where blobs.id = file_versions.blob_id and files.original_file_name = '${file.name.replaceAll("'", "''")}'`,
  )
  return file.name
}

/** Runs in the browser. */
function isAllInSight(row: Element): boolean {
  const { left, top, bottom } = row.getBoundingClientRect()
  return [top + 3, bottom - 3].every((y) => row.contains(document.elementFromPoint(left + 30, y)))
}

async function boxOf(part: Locator) {
  const box = await part.boundingBox()
  if (!box) throw new Error('The element is not shown')
  return box
}

type Colour = readonly [red: number, green: number, blue: number]

/** Reads pixels of a screenshot. Computed styles do not include forced colours. */
async function pixelsOf(page: Page, part: Locator) {
  const png = await part.screenshot()
  const { width, height, data } = await page.evaluate(async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0))
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }))
    const canvas = new OffscreenCanvas(image.width, image.height).getContext('2d')
    canvas?.drawImage(image, 0, 0)
    const pixels = canvas?.getImageData(0, 0, image.width, image.height).data ?? []
    return { width: image.width, height: image.height, data: Array.from(pixels) }
  }, png.toString('base64'))
  const pixel = (index: number) => data.slice(4 * index, 4 * index + 3) as unknown as Colour
  return {
    width,
    height,
    at: (x: number, y: number) => pixel(Math.floor(y) * width + Math.floor(x)),
    all: () => Array.from({ length: width * height }, (_, index) => pixel(index)),
  }
}

/** https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio */
function contrast(one: Colour, other: Colour): number {
  const [dark = 0, light = 0] = [one, other].map(luminance).sort((a, b) => a - b)
  return (light + 0.05) / (dark + 0.05)
}

function luminance(colour: Colour): number {
  const [red = 0, green = 0, blue = 0] = colour.map((value) => {
    const share = value / 255
    return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4
  })
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue
}
