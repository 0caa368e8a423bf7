import './requireNode.mjs'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ensureConsoleBuilt, ensureServerBuilt } from './ensureBuilt.mjs'
import { ensureInstalled } from './ensureInstalled.mjs'
import { runSuite } from './runSuite.mjs'
import { consoleFolder, LaunchFailed, launch, say, serverFolder } from './workspace.mjs'

const suites = [
  { name: 'server', folder: serverFolder },
  { name: 'console', folder: consoleFolder },
]

await launch(async () => {
  const total = { passed: 0, failed: 0 }
  const add = ({ passed, failed }) => {
    total.passed += passed
    total.failed += failed
  }
  add(await attempt(ensureInstalled))
  if (total.failed === 0) await testAll(add)
  if (total.passed + total.failed === 0) {
    say('No test ran.')
    add({ passed: 0, failed: 1 })
  }
  if (total.failed > 0) process.exitCode = 1
  console.log(`\n${total.passed} passed, ${total.failed} failed`)
})

/** Some tests run what `npm start` runs, so both packages are built first. */
async function testAll(add) {
  add(await attempt(ensureServerBuilt))
  add(await attempt(ensureConsoleBuilt))
  for (const suite of suites) {
    if (!existsSync(join(suite.folder, 'vitest.config.ts'))) continue
    add(await runSuite(suite, process.argv.slice(2)))
  }
}

/** What goes wrong before a test can run is one failure among others. */
async function attempt(step) {
  try {
    await step()
    return { passed: 0, failed: 0 }
  } catch (error) {
    if (!(error instanceof LaunchFailed)) throw error
    say(error.message)
    return { passed: 0, failed: 1 }
  }
}
