import './requireNode.mjs'
import { ensureConsoleBuilt, ensureServerBuilt } from './ensureBuilt.mjs'
import { ensureInstalled } from './ensureInstalled.mjs'
import { runSuite, tellFailures } from './runSuite.mjs'
import { consoleFolder, LaunchFailed, launch, say, serverFolder } from './workspace.mjs'

/** Bounds on rates and frames: nothing else runs beside these. */
const measured = { name: 'console that measure', folder: consoleFolder, options: ['--project=measured'] }
/** Browsers and starting products wait much of the time, and the server's tests use the processor meanwhile. */
const sideBySide = [
  { name: 'server', folder: serverFolder },
  { name: 'console', folder: consoleFolder, options: ['--project=console'], isQuiet: true },
]

await launch(async () => {
  const total = { passed: 0, failed: 0, failures: [] }
  const add = ({ passed, failed, failures = [] }) => {
    total.passed += passed
    total.failed += failed
    total.failures.push(...failures)
  }
  add(await attempt(ensureInstalled))
  if (total.failed === 0) await testAll(add)
  if (total.passed + total.failed === 0) {
    say('No test ran.')
    add({ passed: 0, failed: 1 })
  }
  if (total.failed > 0) process.exitCode = 1
  tellFailures(total.failures)
  console.log(`\n${total.passed} passed, ${total.failed} failed`)
})

/** Some tests run what `npm start` runs, so both packages are built first. */
async function testAll(add) {
  add(await attempt(ensureServerBuilt))
  add(await attempt(ensureConsoleBuilt))
  const filters = process.argv.slice(2)
  add(await runSuite(measured, filters))
  const counts = await Promise.all(sideBySide.map((suite) => runSuite(suite, filters)))
  counts.forEach(add)
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
