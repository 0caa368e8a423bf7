import { readdirSync, readFileSync } from 'node:fs'
import { expect, it } from 'vitest'

const folder = new URL('../../docs/decisions/', import.meta.url)
const records = readdirSync(folder).toSorted()
const numbers = records.map((name) => Number(name.slice(0, 4)))

it('no two decision records have the same number', () => {
  expect(numbers).toEqual([...new Set(numbers)])
})

it.each(records)('%s begins with its own number', (name) => {
  const [heading = ''] = readFileSync(new URL(name, folder), 'utf8').split('\n', 1)
  expect(Number(/^# (\d+)\. \S/.exec(heading)?.[1])).toBe(Number(name.slice(0, 4)))
})
