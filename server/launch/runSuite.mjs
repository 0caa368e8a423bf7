import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join, relative } from 'node:path'
import { commandOf, runProgram } from './runProgram.mjs'
import { serverFolder } from './workspace.mjs'

/**
 * A suite has a folder for temporary files to itself: what another user left in the shared one, such as an unpacked
 * browser, is neither to be trusted nor to be tripped over. Others may pass through, as the database's user has to.
 *
 * @param {{ name: string, folder: string, options?: readonly string[], isQuiet?: boolean }} suite a quiet one says what it
 *   has to say when it is over, so that it can run beside another
 * @param {readonly string[]} filters of files, and options for vitest
 * @param {Record<string, string>} [variables] further environment variables
 * @returns {Promise<{ passed: number, failed: number, failures: readonly string[] }>} `failures` has a line for each failed test
 */
export async function runSuite({ name, folder, options = [], isQuiet = false }, filters, variables = {}) {
  const heading = `\nTests of the ${name}`
  if (!isQuiet) console.log(heading)
  const temporary = mkdtempSync(join(tmpdir(), 'filegraph-tests-'))
  chmodSync(temporary, 0o711)
  process.once('exit', () => rmSync(temporary, { recursive: true, force: true }))
  const report = join(temporary, 'report.json')
  const reporters = ['--reporter=default', '--reporter=json', `--outputFile.json=${report}`]
  const args = [commandOf(folder, 'vitest'), 'run', '--passWithNoTests', ...reporters, ...options, ...filters]
  const env = { ...process.env, ...variables, NODE_ENV: 'test', TMPDIR: temporary }
  const { code, output } = await runProgram(process.execPath, args, { cwd: folder, env, quiet: isQuiet })
  if (isQuiet) console.log(`${heading}\n${output}`)
  return countOf(report, code)
}

/** Repeats the failures at the end, where a reader of a long log looks first, in lines that `.ci/run` collects. */
export function tellFailures(failures) {
  if (failures.length > 0) console.log(`\n${failures.map((failure) => `failed: ${failure}`).join('\n')}`)
}

/** A file that could not be loaded or set up is a failure, and so is a run that ended badly with every test passed. */
function countOf(report, code) {
  if (!existsSync(report)) return code === 0 ? { passed: 0, failed: 0, failures: [] } : ended(code)
  const { numPassedTests, testResults } = JSON.parse(readFileSync(report, 'utf8'))
  const failures = testResults.flatMap(failuresOf)
  if (code !== 0 && failures.length === 0) return { ...ended(code), passed: numPassedTests }
  return { passed: numPassedTests, failed: failures.length, failures }
}

const ended = (code) => ({ passed: 0, failed: 1, failures: [`The run ended with code ${code}`] })

function failuresOf({ name, status, message, assertionResults }) {
  const file = relative(dirname(serverFolder), name)
  const failed = assertionResults.filter((test) => test.status === 'failed')
  if (status === 'failed' && failed.length === 0) return [`${file}: ${firstLine(message)}`]
  return failed.map(({ fullName, failureMessages }) => `${file}: ${fullName}: ${firstLine(failureMessages[0])}`)
}

const firstLine = (message) => (message ?? '').split('\n', 1)[0]
