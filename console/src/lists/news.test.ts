import { expect, it } from 'vitest'
import { newsIn } from './news.ts'

const page = (ids: string, hasNextPage = true) => ({
  edges: Array.from(ids, (id) => ({ cursor: id, node: { id } })),
  pageInfo: { endCursor: null, hasNextPage },
})

it.each([
  ['the same rows', page('abc'), page('abc'), null],
  ['nothing, before and after', page('', false), page('', false), null],
  ['two new rows that push two over the end', page('cdef'), page('abcd'), { added: 2, removed: 0, isAtLeast: false }],
  [
    'a row that went, and the one behind it that moved up',
    page('abcd'),
    page('acde'),
    { added: 0, removed: 1, isAtLeast: false },
  ],
  ['a row that this tab deleted already', page('acd'), page('acde'), null],
  ['more rows than a page holds, because this tab added them', page('xyabcd'), page('xyab'), null],
  ['a page full of new rows', page('abcd'), page('wxyz'), { added: 4, removed: 0, isAtLeast: true }],
  ['the first rows of an empty list', page('', false), page('ab', false), { added: 2, removed: 0, isAtLeast: false }],
  ['a list that was emptied', page('ab', false), page('', false), { added: 0, removed: 2, isAtLeast: false }],
  ['a last row that went', page('abc', false), page('ab', false), { added: 0, removed: 1, isAtLeast: false }],
  [
    'a row that came back at the end',
    page('ab', false),
    page('abc', false),
    { added: 1, removed: 0, isAtLeast: false },
  ],
  ['a row that came back in the middle', page('acd'), page('abcd'), { added: 1, removed: 0, isAtLeast: false }],
])('tells %s', (_what, shown, fresh, news) => {
  expect(newsIn(shown, fresh)).toEqual(news)
})
