import type { Page } from 'playwright-core'

export const panelOf = (page: Page) => page.getByRole('region', { name: 'Uploads' })

/** Matches uploads, by their signed addresses. */
export const isPut = (url: URL) => url.searchParams.has('X-Amz-Signature')

/** A data transfer with text files, for a drop. */
export const makeFiles = (page: Page, count: number, label = `many ${count}`) =>
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
