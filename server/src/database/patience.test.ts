import { expect, it } from 'vitest'
import { Patience } from './patience.ts'

const later = <T>(ms: number, value: T) => new Promise<T>((resolve) => setTimeout(() => resolve(value), ms))
const silence = () => new Error('silence')

it('returns answers that arrive in time, and times out each of the others separately', async () => {
  const patience = new Patience()
  const began = performance.now()
  const outcomes = await Promise.allSettled([
    patience.wait(later(10, 'soon'), 5_000, silence),
    patience.wait(later(700, 'late, in time'), 5_000, silence),
    patience.wait(new Promise(() => undefined), 100, silence),
    patience.wait(Promise.reject(new Error('refused')), 5_000, silence),
  ])
  expect(outcomes.map((outcome) => (outcome.status === 'fulfilled' ? outcome.value : String(outcome.reason)))).toEqual([
    'soon',
    'late, in time',
    'Error: silence',
    'Error: refused',
  ])
  expect(performance.now() - began).toBeGreaterThan(600)
  // It looks again after it had nothing left to look at.
  await later(600, null)
  await expect(patience.wait(new Promise(() => undefined), 1, silence)).rejects.toThrow('silence')
})
