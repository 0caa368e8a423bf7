import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const graphql = fileURLToPath(new URL('node_modules/graphql/index.js', import.meta.url))

export default defineConfig({
  // Two copies of graphql would refuse each other's schemas.
  resolve: { alias: [{ find: /^graphql$/, replacement: graphql }] },
  // Files run one after another, because some of them measure. Concurrent tests of a file mostly wait for a browser.
  test: {
    fileParallelism: false,
    maxConcurrency: 3,
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 90_000,
  },
})
