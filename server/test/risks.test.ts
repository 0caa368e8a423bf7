import { existsSync, readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'

const repository = new URL('../../', import.meta.url)
const register = readFileSync(new URL('docs/lifecycle/risks.md', repository), 'utf8')

/** The last cell of each row: a file between backticks and, behind it, words of the test's title. */
const named = register
  .split('\n')
  .filter((line) => line.startsWith('|') && !/^\| (Risk \||---)/.test(line))
  .map((line) => {
    const [risk = '', likelihood, damage, against = '', test = ''] = line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim())
    const [, path = '', title = ''] = /^`([^`]+)`\s*(.*)$/.exec(test) ?? []
    return { risk, likelihood, damage, against, path, title }
  })

describe('the register of risks', () => {
  it('is there', () => {
    expect(named.length).toBeGreaterThan(20)
  })

  it.each(named)('names a test that exists: $risk', ({ likelihood, damage, against, path, title }) => {
    expect(likelihood).toMatch(/^[123]$/)
    expect(damage).toMatch(/^[123]$/)
    expect(against).not.toBe('')
    expect(existsSync(new URL(path, repository))).toBe(true)
    const text = readFileSync(new URL(path, repository), 'utf8')
    expect(text).toMatch(/\b(it|describe)(\.each)?\(/)
    // A title of `it.each` may stand in the file with its variable in the middle.
    expect(text).toContain(title)
  })
})
