import './requireNode.mjs'
import { existsSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { ensureInstalled } from './ensureInstalled.mjs'
import { commandOf, runProgram } from './runProgram.mjs'
import { LaunchFailed, launch, repository, serverFolder } from './workspace.mjs'

/**
 * Installs what is missing, then runs a script or the command of an installed package in the current folder, so that
 * every script of a package.json works in a fresh clone:
 *
 *     node server/launch/tool.mjs [--typescript] bench/runBench.mjs [argument]…
 *     node server/launch/tool.mjs oxfmt [argument]…
 *     node server/launch/tool.mjs typescript/tsc [argument]…
 *
 * `--typescript` lets the script import TypeScript.
 */
await launch(async () => {
  const [first, ...others] = process.argv.slice(2)
  const isTypescript = first === '--typescript'
  const [tool, ...args] = isTypescript ? others : [first, ...others]
  await ensureInstalled()
  const loader = isTypescript ? ['--import', join(serverFolder, 'node_modules', 'tsx', 'dist', 'loader.mjs')] : []
  const script = tool.endsWith('.mjs') ? resolve(tool) : commandIn(tool)
  const { code } = await runProgram(process.execPath, [...loader, script, ...args], { cwd: process.cwd(), asks: true })
  process.exitCode = code
})

/** `typescript/tsc` is the command `tsc` of the package `typescript`. */
function commandIn(tool) {
  const [packageName, command] = tool.split('/')
  const folder = [process.cwd(), repository].find((each) => existsSync(join(each, 'node_modules', packageName)))
  if (!folder) throw new LaunchFailed(`There is no package ${packageName} in this workspace.`)
  return commandOf(folder, packageName, command)
}
