import { expect, it } from 'vitest'
import { startBlock } from './start.ts'

const started = {
  url: 'http://localhost:4000',
  networkUrls: [],
  hasConsole: true,
  hasGraphiql: true,
  hasDemo: false,
  database: 'here',
  files: 'here',
  logs: 'here',
  warnings: [],
}

it('prints the URL of GraphiQL only if GraphiQL answers', () => {
  expect(startBlock(started)).toContain('http://localhost:4000/graphiql')
  expect(startBlock({ ...started, hasGraphiql: false })).not.toMatch(/graphiql/i)
})
