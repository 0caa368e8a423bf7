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
  it('decodes to the values that it was made of', () => {
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
    ['a UUID with more behind it', write(['files', time, `${id}0`])],
    ['a UUID with more before it', write(['files', time, `0${id}`])],
    ['a UUID in a list', write(['files', time, [id]])],
    ['a time with more behind it', write(['files', `${time}0`, id])],
    ['a time in a list', write(['files', [time], id])],
    ['characters before it that base64 readers skip', `!${encodeCursor('files', [time, id])}`],
    ['other characters before it', `=${encodeCursor('files', [time, id])}`],
    ['an object', write({ list: 'files' })],
    ['null', write(null)],
    ['a number in place of a time', write(['files', 5, id])],
    ['other characters', `${encodeCursor('files', [time, id])}=`],
    ['nothing', ''],
    ['a very long text', 'A'.repeat(100_000)],
  ])('rejects a cursor that is %s', (_name, text) => expect(decodeCursor('files', kinds, text)).toBeNull())

  it('carries a text, unless it is longer than a sort key or contains characters that Postgres refuses', () => {
    const read = (text: string) => decodeCursor('people', ['text', 'uuid'], encodeCursor('people', [text, id]))
    expect(read('𠮷'.repeat(600))).toEqual(['𠮷'.repeat(600), id])
    expect(read('"\\'.repeat(300))).toEqual(['"\\'.repeat(300), id])
    for (const text of ['a'.repeat(601), 'a\0b']) expect(read(text)).toBeNull()
    expect(decodeCursor('people', ['text', 'uuid'], write(['people', 5, id]))).toBeNull()
  })

  it('has at most 4,000 characters', () => {
    const readText = (length: number) => {
      // Escaped in JSON, so that few characters of a text make a long cursor.
      const padded = encodeCursor('people', ['\u0001'.repeat(460), 'x'.repeat(length)])
      return { length: padded.length, values: decodeCursor('people', ['text', 'text'], padded) }
    }
    const lengths = Array.from({ length: 600 }, (_, at) => readText(at)).filter((read) => read.length > 3_990)
    expect(lengths.some(({ length }) => length === 4_000)).toBe(true)
    for (const { length, values } of lengths) expect(values !== null).toBe(length <= 4_000)
  })

  it.each([
    [0, true],
    [2_147_483_647, true],
    [-2_147_483_647, true],
    [2_147_483_648, false],
    [1.5, false],
    ['1', false],
    [null, false],
  ])('carries an integer in the range of Postgres: %s', (value, isAccepted) => {
    const decoded = decodeCursor('versions', ['int', 'uuid'], write(['versions', value, id]))
    expect(decoded).toEqual(isAccepted ? [value, id] : null)
  })

  it('is never an error, for any text', () => {
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

  it.each([{ first: -1 }, { first: 101 }, { first: 1_000_000_000 }])('refuses %o and reports the limits', (args) => {
    expect(() => pageSize(args)).toThrow(BadInput)
    expect(() => pageSize(args)).toThrow('first must be between 0 and 100.')
  })

  it('refuses a last out of range, and first together with last', () => {
    expect(() => pageSize({ last: 101 })).toThrow('last must be between 0 and 100.')
    expect(() => pageSize({ first: 1, last: 1 })).toThrow('Give either first or last, not both.')
    expect(() => pageSize({ first: 0, last: 0 })).toThrow(BadInput)
  })

  it.each([{ first: 0 }, { last: 0 }])('is empty for %o, and reports whether there are rows', (args) => {
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

  it('reports a next page if one row more than requested exists', () => {
    const page = pageRequest(order, { first: 2 })
    const rows = [3, 2, 1].map((day) => ({ at: new Date(Date.UTC(2026, 0, day)), id }))
    const { edges, pageInfo } = page.toConnection(rows, (row) => [row.at, row.id])
    expect(page.limit).toBe(3)
    expect(edges.map((edge) => edge.node)).toEqual(rows.slice(0, 2))
    expect(pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: false, endCursor: edges[1]?.cursor })
  })

  it('reads backwards from a cursor and returns the order of the list', () => {
    const before = encodeCursor('files', [time, id])
    const page = pageRequest(order, { last: 2, before })
    const rows = [1, 2, 3].map((day) => ({ at: new Date(Date.UTC(2026, 0, day)), id }))
    const { edges, pageInfo } = page.toConnection(rows, (row) => [row.at, row.id])
    expect(edges.map((edge) => edge.node)).toEqual([rows[1], rows[0]])
    expect(pageInfo).toMatchObject({ hasNextPage: true, hasPreviousPage: true })
  })

  it.each([{ first: 2 }, { last: 2 }])('has the same text and values when it is prepared: %o', (size) => {
    const written = (clauses: PageClauses<unknown>) =>
      new PgDialect().sqlToQuery(sql`${clauses.where} limit ${clauses.limit}`)
    for (const bounds of [{}, { after: place }, { before: place }, { after: place, before: place }]) {
      const page = pageRequest(order, { ...size, ...bounds })
      const { sql: text, params } = written(page.prepared())
      expect(params.every((param) => is(param, Placeholder))).toBe(true)
      expect({ sql: text, params: fillPlaceholders(params, page.values) }).toEqual(written(page))
    }
  })

  const place = encodeCursor('files', [time, id])
  const columns = '("files"."uploaded_at", "files"."id")'
  const other = '2026-03-01T00:00:00.000Z'

  it.each([
    [{ first: 1 }, true, '', 'desc', []],
    [{ first: 1, after: place }, true, `${columns} < ($1::timestamptz, $2::uuid)`, 'desc', [time, id]],
    [{ first: 1, after: place }, false, `${columns} > ($1::timestamptz, $2::uuid)`, 'asc', [time, id]],
    [{ last: 1, before: place }, true, `${columns} > ($1::timestamptz, $2::uuid)`, 'asc', [time, id]],
    [{ last: 1, before: place }, false, `${columns} < ($1::timestamptz, $2::uuid)`, 'desc', [time, id]],
    [
      { last: 1, after: place, before: encodeCursor('files', [other, id]) },
      false,
      `${columns} > ($1::timestamptz, $2::uuid) and ${columns} < ($3::timestamptz, $4::uuid)`,
      'desc',
      [time, id, other, id],
    ],
  ])('is written as a row comparison: %o, descending %s', (args, descending, where, direction, values) => {
    const page = pageRequest({ ...order, descending }, args)
    const dialect = new PgDialect()
    const written = page.where ? dialect.sqlToQuery(page.where) : { sql: '', params: [] }
    expect(written).toMatchObject({ sql: where, params: values })
    const orderBy = `"files"."uploaded_at" ${direction}, "files"."id" ${direction}`
    expect(dialect.sqlToQuery(page.orderBy).sql).toBe(orderBy)
    expect(page.descending).toBe(direction === 'desc')
  })

  it('casts each value to the type of its column', () => {
    const kindsOfAll = ['text', 'int', 'uuid'] as const
    const after = encodeCursor('all', ['a', 1, id])
    const page = pageRequest({ ...order, list: 'all', kinds: kindsOfAll }, { first: 1, after })
    expect(page.where && new PgDialect().sqlToQuery(page.where).sql).toContain('($1::text, $2::integer, $3::uuid)')
  })

  it.each([
    [{ first: 2 }, [false, false]],
    [{ first: 2, after: place }, [false, true]],
    [{ last: 2 }, [false, false]],
    [{ last: 2, before: place }, [true, false]],
    [{ first: null, last: null }, [false, false]],
    [{ first: 100 }, [false, false]],
  ])('reports which sides have more rows, with cursors that lead back: %o', (args, [next, previous]) => {
    const page = pageRequest(order, args)
    const rows = [5, 4].map((day) => ({ at: new Date(Date.UTC(2026, 0, day)), id }))
    const { edges, pageInfo } = page.toConnection(rows, (row) => [row.at, row.id])
    expect([pageInfo.hasNextPage, pageInfo.hasPreviousPage]).toEqual([next, previous])
    expect([pageInfo.startCursor, pageInfo.endCursor]).toEqual([edges[0]?.cursor, edges[1]?.cursor])
    const decoded = edges.map(({ cursor }) => decodeCursor('files', kinds, cursor))
    expect(decoded).toEqual(edges.map(({ node }) => [node.at.toISOString(), id]))
  })

  it('starts at an end of the list without a cursor, and treats null as a missing argument', () => {
    expect(pageRequest(order, { first: 1 }).where).toBeUndefined()
    expect(pageRequest(order, { first: 1, last: null }).descending).toBe(true)
    expect(pageRequest(order, { first: null, last: 1 }).descending).toBe(false)
  })

  it('ends with the cursor of its last row', () => {
    const rows = [5, 4, 3].map((day) => ({ at: new Date(Date.UTC(2026, 0, day)), id }))
    const { edges, pageInfo } = pageRequest(order, { first: 3 }).toConnection(rows, (row) => [row.at, row.id])
    expect(pageInfo.endCursor).toBe(edges[2]?.cursor)
  })

  it('has a shape that describes how it is read', () => {
    expect(pageRequest(order, { first: 1, after: place }).shape).toBe('true false true false')
    expect(pageRequest(order, { last: 1, before: place }).shape).toBe('true true false true')
    expect(Object.keys(pageRequest(order, { first: 1, after: place }).values)).toEqual(['limit', 'after 0', 'after 1'])
  })

  it('has one shape per text', () => {
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
