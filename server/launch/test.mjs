import './requireNode.mjs'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureConsoleBuilt, ensureServerBuilt } from './ensureBuilt.mjs'
import { ensureInstalled } from './ensureInstalled.mjs'
import { commandOf, runProgram } from './runProgram.mjs'
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
    add(await runSuite(suite))
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

/**
 * A suite has a folder for temporary files to itself: what another user left in the shared one, such as an unpacked
 * browser, is neither to be trusted nor to be tripped over. Others may pass through, as the database's user has to.
 */
async function runSuite({ name, folder }) {
  console.log(`\nTests of the ${name}`)
  const temporary = mkdtempSync(join(tmpdir(), 'filegraph-tests-'))
  chmodSync(temporary, 0o711)
  process.once('exit', () => rmSync(temporary, { recursive: true, force: true }))
  const report = join(temporary, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const args = [commandOf(folder, 'vitest'), 'run', '--passWithNoTests', ...reporters, ...process.argv.slice(2)]
  const env = { ...process.env, NODE_ENV: 'test', TMPDIR: temporary }
  const { code } = await runProgram(process.execPath, args, { cwd: folder, env })
  return countOf(report, code)
}

/** A file that could not be loaded or set up is a failure, and so is a run that ended badly with every test passed. */
function countOf(report, code) {
  if (!existsSync(report)) return { passed: 0, failed: code === 0 ? 0 : 1 }
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
  const broken = testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  )
  const failed = numFailedTests + broken.length
  return { passed: numPassedTests, failed: code !== 0 && failed === 0 ? 1 : failed }
}
