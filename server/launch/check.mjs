import './requireNode.mjs'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { ensureInstalled } from './ensureInstalled.mjs'
import { commandOf, runProgram } from './runProgram.mjs'
import { consoleFolder, LaunchFailed, launch, repository, serverFolder } from './workspace.mjs'

/** In the order in which they are worth mending. */
const checks = [
  { name: 'format', packageName: 'oxfmt', args: ['--check'] },
  { name: 'types of the server', packageName: 'typescript', command: 'tsc', args: ['--noEmit', '-p', serverFolder] },
  { name: 'types of the console', packageName: 'typescript', command: 'tsc', args: ['--noEmit', '-p', consoleFolder] },
  { name: 'lint', packageName: 'oxlint', args: ['--type-aware', '--deny-warnings'] },
  { name: 'dead code', packageName: 'knip', args: ['--no-progress', '--treat-config-hints-as-errors'] },
]

await launch(async () => {
  await ensureInstalled()
  const wrong = []
  for (const { name, packageName, command, args } of checks) {
    const project = args.at(-1)
    if (args.includes('-p') && !existsSync(join(project, 'tsconfig.json'))) continue
    const started = performance.now()
    const script = commandOf(repository, packageName, command)
    const { code, output } = await runProgram(process.execPath, [script, ...args], { quiet: true })
    if (code !== 0) wrong.push(name)
    if (code !== 0) console.log(output.trimEnd())
    console.log(`${code === 0 ? 'ok   ' : 'WRONG'} ${name} (${((performance.now() - started) / 1000).toFixed(1)} s)`)
  }
  if (wrong.length > 0) throw new LaunchFailed(`Not in order: ${wrong.join(', ')}.`)
})
