import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'

const repository = fileURLToPath(new URL('../../', import.meta.url))

/** What people read: sources, tests, pages, the contract. Decisions and migrations are never edited. */
const roots = ['server/src', 'server/test', 'console/src', 'console/test', 'docs', 'bench']
const pages = ['README.md', 'ARCHITECTURE.md', 'CHANGELOG.md', 'CONTRIBUTING.md', 'schema.graphql']
const isRead = (path: string) =>
  /\.(?:tsx?|mjs|graphql|md)$/.test(path) && !path.startsWith('docs/decisions/') && !path.includes('node_modules')

const contributing = readFileSync(join(repository, 'CONTRIBUTING.md'), 'utf8')
const [, table = ''] = /<!-- words:start -->\n\|.*\n\|.*\n([\s\S]*?)<!-- words:end -->/.exec(contributing) ?? []
/** The first cell of each row: phrases between backticks. */
const phrases = table
  .trimEnd()
  .split('\n')
  .flatMap((row) => [...(row.split('|')[1] ?? '').matchAll(/`([^`]+)`/g)].map(([, phrase = '']) => phrase))

const pattern = (phrase: string) =>
  new RegExp(`(?<!\\w)${phrase.replaceAll(' ', String.raw`[\s*/]+`)}(?!\\w| (?:longer|more)\\b)`, 'gi')

/** Without the list itself. */
const textOf = (path: string) => readFileSync(join(repository, path), 'utf8').replace(table, '')

const inGit = spawnSync('git', ['ls-files', ...roots], { cwd: repository, encoding: 'utf8' }).stdout.split('\n')
const walked = (root: string) =>
  readdirSync(join(repository, root), { recursive: true, encoding: 'utf8' }).map((path) => join(root, path))
/** In a copy without `.git`, everything that lies there. */
const paths = [...(inGit.length > 1 ? inGit : roots.flatMap(walked)), ...pages].filter(isRead)

describe('the words that CONTRIBUTING.md lists', () => {
  it('exist, and so do the files that are searched', () => {
    expect(phrases.length).toBeGreaterThan(20)
    expect(paths.length).toBeGreaterThan(500)
  })

  it('are found across the line breaks of a comment', () => {
    expect(' * files that nobody lets\n   * go of'.match(pattern('lets go of'))).toHaveLength(1)
  })

  it.each(phrases)('are not used: %s', (phrase) => {
    const expression = pattern(phrase)
    const uses = paths.flatMap((path) => {
      const text = textOf(path)
      return [...text.matchAll(expression)].map(({ index }) => `${path}:${text.slice(0, index).split('\n').length}`)
    })
    expect(uses.filter((use) => !use.startsWith('server/test/language.test.ts'))).toEqual([])
  })
})

describe('a description of the schema', () => {
  it('says a default as "Default: …" and a bound as "At most …"', () => {
    const schema = readFileSync(join(repository, 'schema.graphql'), 'utf8')
    expect(schema.match(/by default|defaults to|unless told|maximum of|up to \d+ characters/gi)).toBeNull()
    expect(schema).toContain('Default: 20. At most 100.')
  })
})
