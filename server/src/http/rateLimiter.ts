import { LRUCache } from 'lru-cache'

const rememberedKeys = 10_000

/**
 * A token bucket per key: a burst of `perMinute`, refilled evenly. The least recently used keys are evicted to bound
 * memory. An evicted key starts with a full bucket.
 */
export class RateLimiter {
  readonly #perMinute: number
  readonly #buckets = new LRUCache<string, { left: number; at: number }>({ max: rememberedKeys })

  /** 0 turns the limit off. */
  constructor(perMinute: number) {
    this.#perMinute = perMinute
  }

  /**
   * Returns null if `count` operations may pass now. Otherwise returns the seconds to wait. `now` is in milliseconds.
   */
  take(key: string, count: number, now: number): number | null {
    if (this.#perMinute === 0) return null
    const left = this.#leftFor(key, now)
    const passes = left >= count
    this.#buckets.set(key, { left: passes ? left - count : left, at: now })
    if (passes) return null
    const missing = Math.min(count, this.#perMinute) - left
    return Math.max(1, Math.ceil((missing * 60) / this.#perMinute))
  }

  #leftFor(key: string, now: number): number {
    const bucket = this.#buckets.get(key)
    if (!bucket) return this.#perMinute
    const refilled = (Math.max(0, now - bucket.at) * this.#perMinute) / 60_000
    return Math.min(this.#perMinute, bucket.left + refilled)
  }
}
