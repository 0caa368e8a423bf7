import { GraphQLError, Kind } from 'graphql'
import { builder } from './builder.ts'

const refuse = (message: string): never => {
  throw new GraphQLError(message, { extensions: { code: 'BAD_USER_INPUT' } })
}

const isoTime = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/

/** Checks the year, because a time zone offset can move it out of the range of four digits that Postgres reads. */
function parseTime(value: unknown): Date {
  const time = typeof value === 'string' && isoTime.test(value) ? new Date(value) : null
  const year = time?.getUTCFullYear() ?? 0
  return time && year >= 1 && year <= 9999 ? time : refuse('This is not a time such as 2026-01-31T09:00:00Z.')
}

function parseBytes(value: unknown): number {
  const size = typeof value === 'string' && /^-?\d{1,16}$/.test(value) ? Number(value) : value
  return Number.isSafeInteger(size) ? (size as number) : refuse('This is not a whole number of bytes below 2^53.')
}

builder.scalarType('DateTime', {
  description: 'A date and time in ISO 8601 and RFC 3339 format, such as `2026-01-31T09:00:00.000Z`. Returned in UTC.',
  serialize: (value) => (value instanceof Date ? value : new Date(value as string)).toISOString(),
  parseValue: parseTime,
})

builder.scalarType('ByteSize', {
  description:
    'A non-fractional number below 2^53, such as a number of bytes. Returned as a JSON number. Decimal strings ' +
    'are accepted as input.',
  serialize: Number,
  parseValue: parseBytes,
  parseLiteral: (node) =>
    node.kind === Kind.INT || node.kind === Kind.STRING
      ? parseBytes(node.value)
      : refuse('This is not a whole number of bytes below 2^53.'),
})

builder.scalarType('JSONObject', {
  description: 'A JSON object whose shape depends on the context.',
  serialize: (value) => value,
  parseValue: () => refuse('This value cannot be sent.'),
})
