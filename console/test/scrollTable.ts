import type { CDPSession, Page } from 'playwright-core'

/** The cost of scrolling over some rows. */
export interface Stretch {
  readonly frames: number
  /** Frames a second, including waits for rows. */
  readonly framesPerSecond: number
  /** The mean time of script, layout and style in a frame, in milliseconds. */
  readonly workMs: number
  /** The longest time between two frames, in milliseconds. */
  readonly slowestMs: number
  /** The JavaScript heap after a garbage collection, in bytes. */
  readonly heapBytes: number
  /** The largest number of rows in the document. */
  readonly rowsInDocument: number
}

const rowPx = 60

/** Scrolls the table on the page down, `rowsPerFrame` with each frame, until row `until` is in the document. */
export async function scrollTable(
  page: Page,
  cdp: CDPSession,
  { until, rowsPerFrame }: { until: number; rowsPerFrame: number },
): Promise<Stretch> {
  const before = await workOf(cdp)
  const scrolled = await page.evaluate(scrollInPage, { until, pixels: rowsPerFrame * rowPx })
  const after = await workOf(cdp)
  await cdp.send('HeapProfiler.collectGarbage')
  const { usedSize } = await cdp.send('Runtime.getHeapUsage')
  return {
    ...scrolled,
    workMs: ((after - before) * 1000) / scrolled.frames,
    heapBytes: usedSize,
  }
}

/** Scrolls so that `row` is the first one in view, and waits for the rows around it. */
export async function scrollTo(page: Page, row: number): Promise<void> {
  const place = { row, top: row * rowPx }
  await page.evaluate(({ top }) => document.querySelector('.table')?.scrollTo(0, top), place)
  await page.waitForFunction((first) => {
    const isThere = document.querySelector(`.table-body [aria-rowindex="${first + 2}"]`) !== null
    return isThere && document.querySelector('.missing-row') === null
  }, row)
}

/** The time of script, layout and style since the page was opened, in seconds. */
export async function workOf(cdp: CDPSession): Promise<number> {
  const { metrics } = await cdp.send('Performance.getMetrics')
  const valueOf = (name: string) => metrics.find((metric) => metric.name === name)?.value ?? 0
  return valueOf('ScriptDuration') + valueOf('LayoutDuration') + valueOf('RecalcStyleDuration')
}

/** Runs in the page. */
async function scrollInPage({ until, pixels }: { until: number; pixels: number }) {
  const scroller = document.querySelector('.table')
  if (!scroller) throw new Error('There is no table.')
  const nextFrame = () => new Promise<number>((resolve) => requestAnimationFrame(resolve))
  const started = await nextFrame()
  const found = { row: 0, frames: 0, slowestMs: 0, rowsInDocument: 0 }
  let last = started
  while (found.row < until) {
    scroller.scrollBy(0, pixels)
    const now = await nextFrame()
    const rows = document.querySelectorAll('.table-body [role=row]')
    found.row = Number(rows[rows.length - 1]?.getAttribute('aria-rowindex')) - 1
    found.frames += 1
    found.slowestMs = Math.max(found.slowestMs, now - last)
    found.rowsInDocument = Math.max(found.rowsInDocument, rows.length)
    last = now
  }
  return { ...found, framesPerSecond: (found.frames * 1000) / (last - started) }
}
