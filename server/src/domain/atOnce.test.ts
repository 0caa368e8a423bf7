import { setTimeout as sleep } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { atOnce } from './atOnce.ts'

it('answers in the order of the list, whoever is answered first', async () => {
  const slow = async () => {
    await sleep(5)
    return 'slow'
  }
  expect(await atOnce(slow, async () => 'fast')).toEqual(['slow', 'fast'])
})

it('sends everything before anything is answered, in the order of the list', async () => {
  const sent: number[] = []
  await atOnce(...[1, 2, 3].map((each) => async () => sent.push(each)))
  expect(sent).toEqual([1, 2, 3])
})

it('throws the first failure of the list, and not before all are answered', async () => {
  let isAnswered = false
  const slow = async () => {
    await sleep(5)
    isAnswered = true
    throw new Error('first')
  }
  const fast = () => {
    throw new Error('second')
  }
  await expect(atOnce(slow, fast)).rejects.toThrow('first')
  expect(isAnswered).toBe(true)
})
