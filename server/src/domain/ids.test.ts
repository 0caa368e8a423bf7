import { describe, expect, it } from 'vitest'
import { isId, newId } from './ids.ts'

describe('an id', () => {
  const moment = new Date('2026-01-31T09:00:00.123Z')

  it('begins with its time', () => {
    const id = newId(moment)
    expect(isId(id)).toBe(true)
    expect(Number.parseInt(id.replaceAll('-', '').slice(0, 12), 16)).toBe(moment.getTime())
    expect(id[14]).toBe('7')
  })

  it('is greater than the one before it in the same millisecond', () => {
    const ids = Array.from({ length: 5_000 }, () => newId(moment))
    expect(ids.toSorted()).toEqual(ids)
    expect(new Set(ids).size).toBe(ids.length)
  })

  it('differs from the others when a clock was set back', () => {
    const one = newId(moment)
    newId(new Date(moment.getTime() + 1))
    expect(newId(moment)).not.toBe(one)
  })
})
