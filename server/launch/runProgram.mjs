import { spawn } from 'node:child_process'
import { createRequire } from 'node:module'
import { constants } from 'node:os'
import { dirname, join } from 'node:path'
import { repository } from './workspace.mjs'

const forwarded = ['SIGINT', 'SIGTERM', 'SIGHUP']

let running = 0

/**
 * Runs a program to its end. Resolves with its exit code, 128 + n after signal n as shells have it, and with what it
 * wrote where `quiet` keeps that from the terminal.
 *
 * A signal that reaches us is passed on, and ends us once every program has gone: nothing is left behind. A quiet program
 * gets a process group, so that it reaches those whom it started too: npm's shell keeps signals to itself.
 *
 * @param {string} program
 * @param {readonly string[]} args
 * @param {{ cwd?: string, env?: NodeJS.ProcessEnv, quiet?: boolean, shell?: boolean, asks?: boolean }} [options] `asks`: it may
 *   read the terminal
 * @returns {Promise<{ code: number, output: string }>}
 */
export async function runProgram(program, args, options = {}) {
  const { cwd = repository, env = process.env, quiet = false, shell = false, asks = false } = options
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : [asks ? 'inherit' : 'ignore', 'inherit', 'inherit']
  const isGroup = quiet && process.platform !== 'win32'
  const child = spawn(program, args, { cwd, env, stdio, shell, detached: isGroup })
  running += 1
  let output = ''
  child.stdout?.setEncoding('utf8').on('data', (text) => (output += text))
  child.stderr?.setEncoding('utf8').on('data', (text) => (output += text))
  const stop = stopWith((signal) => (isGroup ? killGroup(child.pid, signal) : child.kill(signal)))
  const code = await new Promise((resolve) => {
    child.once('error', (error) => {
      output += error.message
      resolve(127)
    })
    child.once('close', (exitCode, signal) => resolve(exitCode ?? codeOf(signal)))
  })
  stop.forget()
  running -= 1
  if (stop.signal && running === 0) process.exit(codeOf(stop.signal))
  // The last program ends us.
  if (stop.signal) await new Promise(() => undefined)
  return { code, output }
}

const codeOf = (signal) => 128 + constants.signals[signal]

function killGroup(leader, signal) {
  try {
    process.kill(-leader, signal)
  } catch (error) {
    if (error.code !== 'ESRCH') throw error
  }
}

function stopWith(kill) {
  const stop = { signal: undefined, forget: () => forwarded.forEach((signal) => process.off(signal, onSignal)) }
  const onSignal = (signal) => {
    if (stop.signal) return
    stop.signal = signal
    kill(signal)
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
