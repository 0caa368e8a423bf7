import { describe, expect, it } from 'vitest'
import { RateLimiter } from './rateLimiter.ts'

describe('the rate limiter', () => {
  it('refills evenly, and tells when to come again', () => {
    const limiter = new RateLimiter(60)
    expect(limiter.take('a', 60, 0)).toBeNull()
    expect(limiter.take('a', 1, 0)).toBe(1)
    expect(limiter.take('a', 10, 500)).toBe(10)
    expect(limiter.take('a', 1, 1000)).toBeNull()
    expect(limiter.take('a', 60, 3_600_000)).toBeNull()
    expect(limiter.take('a', 1, 3_600_000)).toBe(1)
  })

  it('counts each key for itself', () => {
    const limiter = new RateLimiter(1)
    expect(limiter.take('a', 1, 0)).toBeNull()
    expect(limiter.take('b', 1, 0)).toBeNull()
    expect(limiter.take('a', 1, 0)).toBe(60)
  })

  it('survives a clock that is set back', () => {
    const limiter = new RateLimiter(1)
    expect(limiter.take('a', 1, 100_000)).toBeNull()
    expect(limiter.take('a', 1, 0)).toBe(60)
  })

  it('is not a limit at zero', () => {
    expect(new RateLimiter(0).take('a', 1_000_000, 0)).toBeNull()
  })

  it('forgets those who asked longest ago, so that its memory has a bound', () => {
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
