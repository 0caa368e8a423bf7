import { createElement } from 'react'
import { renderToStaticMarkup } from 'react-dom/server'
import { expect, test } from 'vitest'
import { FileBadges } from './FileBadges.tsx'

const at = '2026-01-01T00:00:00.000Z'
const plain = { attachmentCount: 0, hold: null, quarantinedAt: null }

const textOf = (file: Parameters<typeof FileBadges>[0]['file']) =>
  renderToStaticMarkup(createElement(FileBadges, { file })).replaceAll(/<[^>]+>/g, '|')

test('a file without a hold, use or damage has no badge', () => {
  expect(textOf(plain)).toBe('')
})

test('damage, a hold and use are shown in words, the most severe first', () => {
  const words = textOf({ attachmentCount: 2, hold: { heldAt: at, reason: 'Lawsuit' }, quarantinedAt: at })
  expect(words.split('|').filter((word) => word.trim() !== '')).toEqual(['Damaged', 'Legal hold', 'In use'])
})

test('the reason of a hold is shown as text', () => {
  const html = renderToStaticMarkup(
    createElement(FileBadges, { file: { ...plain, hold: { heldAt: at, reason: '"><b>' } } }),
  )
  expect(html).toContain('title="&quot;&gt;&lt;b&gt;"')
})
