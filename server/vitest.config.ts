import { defineConfig } from 'vitest/config'

export default defineConfig({
  // Without it two copies of graphql are loaded, and each refuses the other's objects.
  resolve: { alias: [{ find: /^graphql$/, replacement: 'graphql/index.js' }] },
  test: {
    include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
    // Tests of pure functions, run by themselves many times over, save the start of a database.
    globalSetup: process.env['TESTS_WITHOUT_DATABASE'] ? [] : ['test/postgresSetup.ts'],
    testTimeout: 30_000,
    hookTimeout: 120_000,
    maxWorkers: 2,
    // Files share the modules of their worker: loading them anew for each file took a fifth of the time. State of a test is
    // never kept in a module.
    isolate: false,
  },
})
