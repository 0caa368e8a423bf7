import { describe, expect, it } from 'vitest'
import { refuseBeyondBrake } from './rails.ts'
import { RunEnded, type SweepContext } from './recordRun.ts'
import { usualCleanup } from './settings.ts'

const ctx = (brakeObjects: number, brakeShare: number) =>
  ({ settings: { ...usualCleanup, brakeObjects, brakeShare } }) as SweepContext

/** Null where the run may go on. */
function brakes(context: SweepContext, dueCount: number, allCount: number | null): string | null {
  try {
    refuseBeyondBrake(context, dueCount, allCount)
    return null
  } catch (error) {
    if (!(error instanceof RunEnded)) throw error
    expect(error.state).toBe('STOPPED')
    return error.message
  }
}

describe('the brake', () => {
  it('stops a run above its limit, and not at it', () => {
    expect(brakes(ctx(5_000, 1), 5_000, null)).toBeNull()
    expect(brakes(ctx(5_000, 1), 5_001, null)).toBe(
      'More than 5000 objects would be deleted, which is the bound of one run.',
    )
  })

  it('applies the limit to few objects too', () => {
    expect(brakes(ctx(3, 1), 3, 3)).toBeNull()
    expect(brakes(ctx(3, 1), 4, 1_000_000)).not.toBeNull()
    expect(brakes(ctx(0, 1), 1, null)).not.toBeNull()
    expect(brakes(ctx(0, 1), 0, 0)).toBeNull()
  })

  it('stops a run above its share of the objects, and not at it', () => {
    expect(brakes(ctx(100_000, 0.5), 1_500, 3_000)).toBeNull()
    expect(brakes(ctx(100_000, 0.5), 1_501, 3_000)).toBe(
      '1501 of 3000 objects would be deleted: more than 50 % of them.',
    )
    expect(brakes(ctx(100_000, 0.25), 1_500, 6_000)).toBeNull()
    expect(brakes(ctx(100_000, 0.25), 1_501, 6_000)).toContain('25 %')
  })

  it('ignores the share for at most a thousand objects', () => {
    expect(brakes(ctx(100_000, 0.5), 1_000, 1_000)).toBeNull()
    expect(brakes(ctx(100_000, 0.5), 1_001, 1_001)).not.toBeNull()
  })

  it('ignores the share if the size of the tenant is unknown', () => {
    expect(brakes(ctx(100_000, 0.5), 99_999, null)).toBeNull()
  })
})
