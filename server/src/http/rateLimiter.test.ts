import { describe, expect, it } from 'vitest'
import { RateLimiter } from './rateLimiter.ts'

describe('the rate limiter', () => {
  it('refills evenly, and reports when to retry', () => {
    const limiter = new RateLimiter(60)
    expect(limiter.take('a', 60, 0)).toBeNull()
    expect(limiter.take('a', 1, 0)).toBe(1)
    expect(limiter.take('a', 10, 500)).toBe(10)
    expect(limiter.take('a', 1, 1000)).toBeNull()
    expect(limiter.take('a', 60, 3_600_000)).toBeNull()
    expect(limiter.take('a', 1, 3_600_000)).toBe(1)
  })

  it('counts each key separately', () => {
    const limiter = new RateLimiter(1)
    expect(limiter.take('a', 1, 0)).toBeNull()
    expect(limiter.take('b', 1, 0)).toBeNull()
    expect(limiter.take('a', 1, 0)).toBe(60)
  })

  it('works after a clock was set back', () => {
    const limiter = new RateLimiter(1)
    expect(limiter.take('a', 1, 100_000)).toBeNull()
    expect(limiter.take('a', 1, 0)).toBe(60)
  })

  it('is off at zero', () => {
    expect(new RateLimiter(0).take('a', 1_000_000, 0)).toBeNull()
  })

  it('evicts the least recently used keys, so that its memory is bounded', () => {
    const limiter = new RateLimiter(1)
    limiter.take('first', 1, 0)
    limiter.take('second', 1, 0)
    for (let n = 0; n < 9_998; n += 1) limiter.take(`other ${n}`, 1, 0)
    expect(limiter.take('first', 1, 0)).toBe(60)
    limiter.take('one more', 1, 0)
    expect(limiter.take('first', 1, 0)).toBe(60)
    expect(limiter.take('second', 1, 0)).toBeNull()
  })
})
