import { expect, it } from 'vitest'
import { inBatches, pairWithRows } from './checkBytes.ts'

async function* each<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items
}

const object = (key: string) => ({ key, byteSize: 1, etag: 'e' })
const row = (id: string) => ({ id, objectKey: `f/${id}.txt` })

it('pairs each row with the object under its key, and skips the others', async () => {
  const keys = ['a', 'f/1', 'f/2.jpg', 'f/2.txt', 'f/2.zip', 'f/3.txt', 'f/5.txt', 'f/\u{1F600}', 'z']
  const rows = ['0', '2', '3', '4', '5', '6'].map(row)
  const pairs: string[] = []
  for await (const pair of pairWithRows('f/', each(keys.map(object)), each(rows))) {
    pairs.push(`${pair.row?.id ?? '-'} ${pair.object?.key ?? '-'}`)
  }
  expect(pairs).toEqual([
    '- a',
    '0 -',
    '- f/1',
    '- f/2.jpg',
    '- f/2.zip',
    '2 f/2.txt',
    '3 f/3.txt',
    '4 -',
    '5 f/5.txt',
    '6 -',
    '- f/\u{1F600}',
    '- z',
  ])
})

it('groups full batches and the rest', async () => {
  const batches: number[][] = []
  for await (const batch of inBatches(each([1, 2, 3, 4, 5]), 2)) batches.push(batch)
  expect(batches).toEqual([[1, 2], [3, 4], [5]])
})
