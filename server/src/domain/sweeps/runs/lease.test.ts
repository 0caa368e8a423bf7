import { describe, expect, it, vi } from 'vitest'
import { LeaseOver, takeLease } from './rails.ts'

describe('a lease', () => {
  it('forbids a delete that could arrive after another run may have taken over', () => {
    let now = 1_000
    const lease = takeLease(() => now)
    lease.assertHeld()
    now += 120_000
    lease.assertHeld()
    now += 1
    expect(() => lease.assertHeld()).toThrow(LeaseOver)
    now += 86_400_000
    expect(() => lease.assertHeld()).toThrow('The lease of this run is over')
  })

  it('ends for others a minute after the last delete that it allows', () => {
    const databaseNow = new Date('2030-01-01T00:00:00Z')
    const until = takeLease(() => 0).until(databaseNow)
    expect(until.getTime() - databaseNow.getTime()).toBe(180_000)
  })

  it('is measured from its start, independently of the clock of the database', () => {
    let now = 500_000
    const lease = takeLease(() => now)
    lease.until(new Date(Date.now() + 86_400_000))
    now += 120_001
    expect(() => lease.assertHeld()).toThrow(LeaseOver)
  })

  it('uses a clock that nobody can set', () => {
    const elapsed = vi.spyOn(performance, 'now').mockReturnValue(1_000)
    const lease = takeLease()
    lease.assertHeld()
    elapsed.mockReturnValue(1_000 + 600_000)
    expect(() => lease.assertHeld()).toThrow(LeaseOver)
    elapsed.mockRestore()
  })

  it('has an error name that distinguishes it from a defect in the log', () => {
    expect(new LeaseOver('x')).toMatchObject({ name: 'LeaseOver', message: 'x' })
  })
})
