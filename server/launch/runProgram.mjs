import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { repository } from './workspace.mjs'

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Runs a program to its end. Resolves with its exit code, 128 + n after signal n as shells have it, and with what it
 * wrote where `quiet` keeps that from the terminal.
 *
 * A signal that reaches us alone is passed on, and ends us once the program has gone: nothing is left behind.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, quiet?: boolean, shell?: boolean, toStandardError?: boolean }} [options]
 * @returns {Promise<{ code: number, output: string }>}
 */
export async function runProgram(program, args, options = {}) {
  const { cwd = repository, env = process.env, quiet = false, shell = false, toStandardError = false } = options
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : ['ignore', toStandardError ? 2 : 'inherit', 'inherit']
  const child = spawn(program, args, { cwd, env, stdio, shell })
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text) => (output += text))
  const stop = stopWith(child)
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      output += error.message
      resolve(127)
    })
    child.once('close', (exitCode) => resolve(exitCode ?? 1))
  })
  stop.forget()
  if (stop.signal) process.kill(process.pid, stop.signal)
  return { code, output }
}

function stopWith(child) {
  const stop = { signal: undefined, forget: () => forwarded.forEach((signal) => process.off(signal, onSignal)) }
  const onSignal = (signal) => {
    if (stop.signal) return
    stop.signal = signal
    child.kill(signal)
  }
  for (const signal of forwarded) process.on(signal, onSignal)
  return stop
}

/**
 * The script of an installed package's command, to be run by Node itself: the links in `.bin` are not the same on every
 * system.
 *
 * @param {string} folder the workspace folder that depends on the package
 */
export function commandOf(folder, packageName, command = packageName) {
  const manifest = join(folder, 'node_modules', packageName, 'package.json')
  const { bin } = createRequire(import.meta.url)(manifest)
  return join(dirname(manifest), typeof bin === 'string' ? bin : bin[command])
}
