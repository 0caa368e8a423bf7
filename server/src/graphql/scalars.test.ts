import { GraphQLScalarType } from 'graphql'
import { describe, expect, it } from 'vitest'
import { schema } from './schema.ts'

function parse(scalar: string, value: unknown): unknown {
  const type = schema.getType(scalar)
  if (!(type instanceof GraphQLScalarType)) throw new Error(`${scalar} is not a scalar`)
  return type.parseValue(value)
}

describe('a time', () => {
  it.each([
    ['2026-01-31T09:00:00Z', '2026-01-31T09:00:00.000Z'],
    ['2026-01-31T09:00+02:00', '2026-01-31T07:00:00.000Z'],
    ['0001-01-01T00:00:00Z', '0001-01-01T00:00:00.000Z'],
    ['9999-12-31T23:59:59.999Z', '9999-12-31T23:59:59.999Z'],
  ])('is parsed: %s', (text, expected) => expect((parse('DateTime', text) as Date).toISOString()).toBe(expected))

  it.each([
    ['a day', '2026-01-31'],
    ['no text', 5],
    ['the year 0', '0000-01-01T00:00:00Z'],
    ['the year 0, by its offset', '0001-01-01T00:00:00+23:59'],
    ['a year of five digits, by its offset', '9999-12-31T23:59:59-23:59'],
    ['an offset that does not exist', '2026-01-01T00:00:00+99:99'],
  ])('is refused if it is %s', (_name, value) => expect(() => parse('DateTime', value)).toThrow(/not a time/))
})
