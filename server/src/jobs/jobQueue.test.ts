import { pino } from 'pino'
import { describe, expect, it } from 'vitest'
import { queueDriverOptions, Servers } from '../database/servers.ts'
import { openJobPool, queueOptions } from './jobQueue.ts'

const nowhere = queueDriverOptions(new Servers('postgres://none@127.0.0.1:1/none'))

describe('the log of the queue', () => {
  it.each([
    ['an error', 'Error: the disk is full', new Error('the disk is full'), 'the disk is full'],
    ['an object with a message', '[object Object]', { message: 'the disk is full' }, 'the disk is full'],
    ['any other object', '[object Object]', { code: 'ENOSPC' }, '{"code":"ENOSPC"}'],
  ])('tells %s in words', (_kind, asText, thrown, words) => {
    const lines: string[] = []
    const logger = pino({ level: 'error' }, { write: (line: string) => void lines.push(line) })
    queueOptions(openJobPool(nowhere, 1, logger), logger).logger.error(`Failed to complete jobs:\n${asText}`, {
      fatalError: thrown,
    })
    const { msg, err } = JSON.parse(lines.join('')) as { msg: string; err: { message: string } }
    expect(msg).toContain(words)
    expect(msg).not.toContain('[object Object]')
    expect(err.message).toBe(words)
  })
})
