import './requireNode.mjs'
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ensureConsoleBuilt, ensureServerBuilt } from './ensureBuilt.mjs'
import { ensureInstalled } from './ensureInstalled.mjs'
import { commandOf, runProgram } from './runProgram.mjs'
import { consoleFolder, launch, say, serverFolder } from './workspace.mjs'

const suites = [
  { name: 'server', folder: serverFolder },
  { name: 'console', folder: consoleFolder },
]

await launch(async () => {
  await ensureInstalled()
  const total = await build()
  for (const suite of suites) {
    if (!existsSync(join(suite.folder, 'vitest.config.ts'))) continue
    const { passed, failed } = await runSuite(suite)
    total.passed += passed
    total.failed += failed
  }
  if (total.failed > 0 || total.passed === 0) process.exitCode = 1
  if (total.passed + total.failed === 0) say('No test ran.')
  console.log(`\n${total.passed} passed, ${total.failed} failed`)
})

/** Some tests run what `npm start` runs. A build that fails is one failure among others. */
async function build() {
  try {
    await ensureServerBuilt()
    await ensureConsoleBuilt()
    return { passed: 0, failed: 0 }
  } catch (error) {
    say(error.message)
    return { passed: 0, failed: 1 }
  }
}

async function runSuite({ name, folder }) {
  console.log(`\nTests of the ${name}`)
  const reports = mkdtempSync(join(tmpdir(), 'filegraph-report-'))
  const report = join(reports, 'report.json')
  try {
    const vitest = commandOf(folder, 'vitest')
    const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
    const args = [vitest, 'run', '--passWithNoTests', ...reporters, ...process.argv.slice(2)]
    const env = { ...process.env, NODE_ENV: 'test' }
    const { code } = await runProgram(process.execPath, args, { cwd: folder, env })
    return countOf(report, code)
  } finally {
    rmSync(reports, { recursive: true, force: true })
  }
}

/** A file that could not be loaded is a failure, and so is a run that ended badly with every test passed. */
function countOf(report, code) {
  if (!existsSync(report)) return { passed: 0, failed: code === 0 ? 0 : 1 }
  const { numPassedTests, numFailedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
  const unloaded = testResults.filter((file) => file.status === 'failed' && file.assertionResults.length === 0).length
  const failed = numFailedTests + unloaded
  return { passed: numPassedTests, failed: code !== 0 && failed === 0 ? 1 : failed }
}
