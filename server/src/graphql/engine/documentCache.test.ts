import { expect, it } from 'vitest'
import { DocumentCache } from './documentCache.ts'

it('allows a burst of a hundred compilations, then one a second', () => {
  let now = 0
  const cache = new DocumentCache(() => now)
  const take = (times: number) => Array.from({ length: times }, () => cache.takeCompilation()).filter(Boolean).length
  expect(take(150)).toBe(100)
  now += 900
  expect(take(10)).toBe(0)
  now += 100
  expect(take(10)).toBe(1)
  now += 3_000
  expect(take(10)).toBe(3)
  now += 3_600_000
  expect(take(150)).toBe(100)
})
