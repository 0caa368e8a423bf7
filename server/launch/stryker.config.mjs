import { mutationRuns } from './mutationRuns.mjs'

const name = process.env.MUTATION_RUN ?? ''
const run = mutationRuns[name]
if (!run) throw new Error(`There is no mutation run "${name}"`)

// The command inherits it.
if (run.pure) process.env.TESTS_WITHOUT_DATABASE = 'true'

export default {
  testRunner: 'command',
  commandRunner: {
    command: `cd server && node node_modules/vitest/vitest.mjs run --bail=1 ${run.tests.join(' ')}`,
  },
  mutate: run.mutate.map((file) => `server/src/${file}`),
  reporters: ['clear-text', 'progress-append-only'],
  ignorePatterns: ['/.data', '/console', '/server/dist', '/bench'],
  concurrency: 2,
  timeoutMS: 180_000,
  tempDirName: 'node_modules/.stryker',
  thresholds: { high: 100, low: run.atLeast, break: run.atLeast },
  clearTextReporter: { allowColor: false, logTests: false },
}
