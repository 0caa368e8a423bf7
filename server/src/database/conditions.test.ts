import { readdirSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { PgDialect } from 'drizzle-orm/pg-core'
import { expect, it } from 'vitest'
import { isState } from './conditions.ts'
import { cleanupRuns } from './tables/cleanupTables.ts'
import { uploads } from './tables/uploadTables.ts'

const textOf = (condition: ReturnType<typeof isState>) => new PgDialect().sqlToQuery(condition)

it('writes states as literals, and binds no parameter', () => {
  expect(textOf(isState(uploads.state, 'PENDING'))).toMatchObject({ sql: `"uploads"."state" = 'PENDING'`, params: [] })
  expect(textOf(isState(cleanupRuns.state, 'QUEUED', 'RUNNING'))).toMatchObject({
    sql: `"cleanup_runs"."state" in ('QUEUED', 'RUNNING')`,
    params: [],
  })
})

it.each([[], ['DONE'], ["PENDING' or true --"], ['pending'], ['PENDING', 'DONE']])(
  'refuses a value that the column cannot hold: %s',
  (...states) => {
    expect(() => isState(uploads.state, ...(states as 'PENDING'[]))).toThrow('has no state')
  },
)

it('is the only way in which our statements compare a state', () => {
  const source = fileURLToPath(new URL('..', import.meta.url))
  const bound =
    /\b(eq|ne|inArray|notInArray|isAnyOf)\(\s*\w+\.(state|status)\b|\.(state|status)\}?\s*(=|<>|in)\s*\(?\$\{/
  const found = readdirSync(source, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .filter((path) => bound.test(readFileSync(`${source}/${path}`, 'utf8')))
  expect(found).toEqual([])
  for (const text of ["eq(uploads.state, 'PENDING')", 'inArray(blobs.status, some)', 'u.state = ${state}'])
    expect(text).toMatch(bound)
})
