import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { together } from './together.ts'

it('returns answers by name, in any order of arrival', async () => {
  const slow = async () => {
    await sleep(5)
    return 'slow'
  }
  expect(await together({ slow, fast: async () => 'fast' })).toEqual({ slow: 'slow', fast: 'fast' })
})

it('sends everything before any answer, in the written order', async () => {
  const sent: number[] = []
  await together({ b: async () => sent.push(1), a: async () => sent.push(2), c: async () => sent.push(3) })
  expect(sent).toEqual([1, 2, 3])
})

it('throws the first failure, after all are answered', async () => {
  let isAnswered = false
  const slow = async () => {
    await sleep(5)
    isAnswered = true
    throw new Error('first')
  }
  const fast = () => {
    throw new Error('second')
  }
  await expect(together({ slow, fast })).rejects.toThrow('first')
  expect(isAnswered).toBe(true)
})
