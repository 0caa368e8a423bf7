import { fillPlaceholders, is, Placeholder, sql } from 'drizzle-orm'
import { PgDialect } from 'drizzle-orm/pg-core'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { files } from '../../database/tables/fileTables.ts'
import { BadInput } from '../refusals.ts'
import { decodeCursor, encodeCursor } from './cursor.ts'
import { type PageClauses, pageRequest, pageSize } from './page.ts'

const time = '2026-01-31T09:00:00.123Z'
const id = '01936b1e-0000-7000-8000-000000000001'
const kinds = ['time', 'uuid'] as const
const write = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')

describe('a cursor', () => {
  it('comes back as what it was made of', () => {
    expect(decodeCursor('files', kinds, encodeCursor('files', [time, id]))).toEqual([time, id])
  })

  it.each([
    ['another list', encodeCursor('trash', [time, id])],
    ['a value too few', write(['files', time])],
    ['a value too many', write(['files', time, id, 1])],
    ['a date that does not exist', write(['files', '2026-02-31T09:00:00.000Z', id])],
    ['the year 0, which Postgres does not know', write(['files', '0000-01-01T00:00:00.000Z', id])],
    ['a year beyond Postgres', write(['files', '+012026-01-31T09:00:00.000Z', id])],
    ['no UUID', write(['files', time, "x' or 1=1"])],
    ['an object', write({ list: 'files' })],
    ['null', write(null)],
    ['a number in place of a time', write(['files', 5, id])],
    ['other characters', `${encodeCursor('files', [time, id])}=`],
    ['nothing', ''],
    ['a very long text', 'A'.repeat(100_000)],
  ])('is no place when it is %s', (_name, text) => expect(decodeCursor('files', kinds, text)).toBeNull())

  it('carries a text, unless it is longer than a sort key or holds what Postgres refuses', () => {
    const read = (text: string) => decodeCursor('people', ['text', 'uuid'], encodeCursor('people', [text, id]))
    expect(read('𠮷'.repeat(600))).toEqual(['𠮷'.repeat(600), id])
    expect(read('"\\'.repeat(300))).toEqual(['"\\'.repeat(300), id])
    for (const text of ['a'.repeat(601), 'a\0b']) expect(read(text)).toBeNull()
    expect(decodeCursor('people', ['text', 'uuid'], write(['people', 5, id]))).toBeNull()
  })

  it('is never an error, whatever the text', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.base64String(),
          fc.json().map((json) => Buffer.from(json).toString('base64url')),
        ),
        (text) => {
          decodeCursor('files', kinds, text)
        },
      ),
    )
  })
})

describe('a page', () => {
  const order = { list: 'files', kinds, columns: [files.uploadedAt, files.id], descending: true } as const

  it.each([{ first: -1 }, { first: 101 }, { first: 1_000_000_000 }])('refuses %o and names the bounds', (args) => {
    expect(() => pageSize(args)).toThrow(BadInput)
    expect(() => pageSize(args)).toThrow('first must be between 0 and 100.')
  })

  it('refuses a last out of bounds, and first together with last', () => {
    expect(() => pageSize({ last: 101 })).toThrow('last must be between 0 and 100.')
    expect(() => pageSize({ first: 1, last: 1 })).toThrow(BadInput)
    expect(() => pageSize({ first: 0, last: 0 })).toThrow(BadInput)
  })

  it.each([{ first: 0 }, { last: 0 }])('is empty for %o, and tells whether there are rows', (args) => {
    const page = pageRequest(order, args)
    expect(page.limit).toBe(1)
    const row = { at: new Date(time), id }
    const noRow = page.toConnection([], () => [])
    const { edges, pageInfo } = page.toConnection([row], ({ at }) => [at, id])
    expect([noRow.edges, edges]).toEqual([[], []])
    expect(noRow.pageInfo).toMatchObject({ hasNextPage: false, hasPreviousPage: false, startCursor: null })
    const isForward = 'first' in args
    expect(pageInfo).toMatchObject({ hasNextPage: isForward, hasPreviousPage: !isForward, endCursor: null })
  })

  it('turns one row more than asked into the promise of another page', () => {
    const page = pageRequest(order, { first: 2 })
    const rows = [3, 2, 1].map((day) => ({ at: new Date(Date.UTC(2026, 0, day)), id }))
    const { edges, pageInfo } = page.toConnection(rows, (row) => [row.at, row.id])
    expect(page.limit).toBe(3)
    expect(edges.map((edge) => edge.node)).toEqual(rows.slice(0, 2))
    expect(pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false, endCursor: edges[1]?.cursor })
  })

  it('reads backwards from a cursor and answers in the order of the list', () => {
    const before = encodeCursor('files', [time, id])
    const page = pageRequest(order, { last: 2, before })
    const rows = [1, 2, 3].map((day) => ({ at: new Date(Date.UTC(2026, 0, day)), id }))
    const { edges, pageInfo } = page.toConnection(rows, (row) => [row.at, row.id])
    expect(edges.map((edge) => edge.node)).toEqual([rows[1], rows[0]])
    expect(pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true })
  })

  it.each([{ first: 2 }, { last: 2 }])('is read by the same text and values when it is prepared: %o', (size) => {
    const place = encodeCursor('files', [time, id])
    const written = (clauses: PageClauses<unknown>) =>
      new PgDialect().sqlToQuery(sql`${clauses.where} limit ${clauses.limit}`)
    for (const bounds of [{}, { after: place }, { before: place }, { after: place, before: place }]) {
      const page = pageRequest(order, { ...size, ...bounds })
      const { sql: text, params } = written(page.prepared())
      expect(params.every((param) => is(param, Placeholder))).toBe(true)
      expect({ sql: text, params: fillPlaceholders(params, page.values) }).toEqual(written(page))
    }
  })

  it('has a shape for each of its texts', () => {
    const place = encodeCursor('files', [time, id])
    const texts = new Map<string, string>()
    for (const descending of [true, false])
      for (const size of [{ first: 2 }, { last: 3 }])
        for (const bounds of [{}, { after: place }, { before: place }, { after: place, before: place }]) {
          const page = pageRequest({ ...order, descending }, { ...size, ...bounds })
          const { where } = page.prepared()
          const { sql: text } = new PgDialect().sqlToQuery(sql`${where} order by ${page.orderBy}`)
          expect(texts.get(page.shape) ?? text).toBe(text)
          texts.set(page.shape, text)
        }
    expect(texts.size).toBe(16)
  })
})
