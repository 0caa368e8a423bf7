import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const graphql = fileURLToPath(new URL('node_modules/graphql/index.js', import.meta.url))

/** They hold bounds on rates and frames, so that `npm test` runs nothing beside them. */
const measured = ['test/{scroll,uploadRate}.browser.test.ts']

export default defineConfig({
  // Two copies of graphql would refuse each other's schemas.
  resolve: { alias: [{ find: /^graphql$/, replacement: graphql }] },
  test: {
    // Files run one after another. Concurrent tests of a file mostly wait for a browser.
    fileParallelism: false,
    maxConcurrency: 3,
    testTimeout: 60_000,
    hookTimeout: 90_000,
    projects: [
      // Whatever else the machine does makes a figure worse, never better: one run within the bounds shows that they hold.
      { extends: true, test: { name: 'measured', include: measured, retry: 2 } },
      { extends: true, test: { name: 'console', include: ['{src,test}/**/*.test.ts'], exclude: measured } },
    ],
  },
})
