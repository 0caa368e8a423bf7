import { expect, test } from 'vitest'
import { formatBytes } from './formatBytes.ts'
import { daysUntil, formatDuration, relativeTime, startOfDay } from './formatTime.ts'
import { visibleRows } from './useVisibleRows.ts'

const now = Date.parse('2026-06-15T12:00:00.000Z')
const ago = (seconds: number) => relativeTime(new Date(now - seconds * 1000).toISOString(), now)

test('sizes are shown in powers of a thousand', () => {
  expect([0, 1, 999, 1000, 1449, 44_000, 999_960, 1_000_000_007].map(formatBytes)).toEqual([
    '0 bytes',
    '1 byte',
    '999 bytes',
    '1 kB',
    '1.4 kB',
    '44 kB',
    '1 MB',
    '1 GB',
  ])
})

test('times are shown relative to now', () => {
  expect([10, 50, 300, 7200, 90_000].map(ago)).toEqual([
    'just now',
    '1 minute ago',
    '5 minutes ago',
    '2 hours ago',
    'yesterday',
  ])
  expect(ago(40 * 86_400)).toBe('May 6, 2026')
})

test('the last day in the trash counts as one, and 0 days are left after it', () => {
  const inHours = (hours: number) => new Date(now + hours * 3_600_000).toISOString()
  expect(daysUntil(inHours(30 * 24), now)).toBe(30)
  expect(daysUntil(inHours(1), now)).toBe(1)
  expect(daysUntil(inHours(-24), now)).toBe(0)
})

test('a duration has at most two units, and is never negative', () => {
  expect([-5, 320, 9_940, 59_999, 60_000, 7_530_000].map(formatDuration)).toEqual([
    'a moment',
    '0.3 s',
    '9.9 s',
    '59 s',
    '1 min',
    '2 h 5 min',
  ])
})

test('a malformed day sets no limit', () => {
  expect(startOfDay('2026-01-31', 1)).toBe(new Date(2026, 1, 1).toISOString())
  for (const junk of [undefined, '', 'x', '2026-1-1']) expect(startOfDay(junk)).toBeUndefined()
})

test('only a screenful of 100,000 rows is in the document', () => {
  const { first, last } = visibleRows(50_000, 16, 100_000)
  expect(first).toBeLessThanOrEqual(50_000)
  expect(last).toBeGreaterThanOrEqual(50_016)
  expect(last - first).toBeLessThan(60)
  expect(visibleRows(90, 16, 3)).toEqual({ first: 0, last: 3 })
})
