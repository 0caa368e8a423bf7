import { expect, test } from 'vitest'
import { type Part, Parts, type RowPage } from './pageParts.ts'

/** Rows are numbers, and their cursors the same numbers as text. */
const page = (rows: readonly number[], hasNextPage: boolean): RowPage<number> => ({
  edges: rows.map((node) => ({ cursor: `${node}`, node })),
  pageInfo: { endCursor: rows.length > 0 ? `${rows.at(-1)}` : null, hasNextPage },
})

const view = (first: number) => ({ first, last: first + 3 })

function take(parts: Parts<number>, at: number, rows: readonly number[], hasNextPage: boolean) {
  parts.fill(parts.all[at] as Part<number>, page(rows, hasNextPage))
}

function threeParts() {
  const parts = new Parts<number>('0')
  take(parts, 0, [10, 20, 30], true)
  take(parts, 1, [40, 50, 60], true)
  take(parts, 2, [70, 80], false)
  return parts
}

const rowsOf = (parts: Parts<number>) => Array.from({ length: parts.rowCount }, (_, at) => parts.rowAt(at))

test('each page with a next page makes another part', () => {
  const parts = new Parts<number>('0')
  expect([parts.rowCount, parts.hasMore]).toEqual([0, true])
  take(parts, 0, [10, 20, 30], true)
  expect([parts.rowCount, parts.hasMore]).toEqual([3, true])
  expect(parts.missing(view(0), true)).toBe(parts.all[1])
  expect(parts.missing(view(0), false)).toBeUndefined()
  take(parts, 1, [40], false)
  expect([rowsOf(parts), parts.hasMore]).toEqual([[10, 20, 30, 40], false])
})

test('a dropped part keeps its place, and is requested up to the start of the next one', () => {
  const parts = threeParts()
  const middle = parts.all[1] as Part<number>
  middle.rows = null
  expect(rowsOf(parts)).toEqual([10, 20, 30, undefined, undefined, undefined, 70, 80])
  expect(parts.missing(view(4), false)).toBe(middle)
  expect(parts.missing(view(7), false)).toBeUndefined()
  expect(parts.endsOf(middle)).toEqual({ after: '30', before: '70' })
})

test('rows that were added between two parts are loaded once, and those that do not fit into a page make another part', () => {
  const parts = threeParts()
  for (const part of parts.all) part.rows = null
  take(parts, 0, [10, 20, 35], false)
  expect(parts.endsOf(parts.all[1] as Part<number>)).toEqual({ after: '35', before: '70' })
  take(parts, 1, [40, 45, 50], true)
  expect(parts.endsOf(parts.all[2] as Part<number>)).toEqual({ after: '50', before: '70' })
  take(parts, 2, [60], false)
  take(parts, 3, [70, 80], false)
  expect(rowsOf(parts)).toEqual([10, 20, 35, 40, 45, 50, 60, 70, 80])
})
