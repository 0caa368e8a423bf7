import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const graphql = fileURLToPath(new URL('node_modules/graphql/index.js', import.meta.url))

export default defineConfig({
  // Two copies of graphql would refuse each other's schemas.
  resolve: { alias: [{ find: /^graphql$/, replacement: graphql }] },
  // One file at a time: scrolling is measured in one of them.
  test: {
    fileParallelism: false,
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    testTimeout: 20_000,
    hookTimeout: 90_000,
  },
})
