import type { Page } from 'playwright-core'
import { workOf } from './scrollTable.ts'
import { makeFiles, panelOf } from './uploadPage.ts'

export interface Tasks {
  /** Between two frames, in milliseconds. */
  readonly longestFrame: number
  /** In milliseconds. */
  readonly longest: number
  /** The share of the time in tasks of more than 100 ms. */
  readonly longShare: number
}

export interface Measured extends Tasks {
  readonly perSecond: number
  /** Script, layout and style for a file, in milliseconds of the processor. */
  readonly workMs: number
  /** The largest number of elements in the panel. */
  readonly nodes: number
}

export async function uploadMany(page: Page, count: number): Promise<Measured> {
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

/** Records the long tasks of the page from now on. */
export const watchTasks = (page: Page) =>
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

export const tasksOf = (page: Page): Promise<Tasks> =>
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
