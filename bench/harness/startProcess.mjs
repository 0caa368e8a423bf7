import { spawn } from 'node:child_process'
import { once } from 'node:events'

const stopPatienceMs = 30_000

/** In the order in which they were started. */
const all = []

/**
 * Starts a Node process that ends when `stop` is called, at the latest after half a minute. What it says is kept for the
 * message of a failure alone. The environment is the caller's without what would configure the product.
 */
export function startProcess(args, environment) {
  const { PATH, HOME, TMPDIR, LANG } = process.env
  const child = spawn(process.execPath, args, {
    env: { PATH, HOME, TMPDIR, LANG, NODE_ENV: 'production', ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  })
  const running = { pid: child.pid, child, said: '', stop: () => stop(child) }
  all.push(running)
  const listen = (text) => (running.said = (running.said + text).slice(-4_000))
  child.stdout.setEncoding('utf8').on('data', listen)
  child.stderr.setEncoding('utf8').on('data', listen)
  return running
}

async function stop(child) {
  if (child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  const timer = setTimeout(() => child.kill('SIGKILL'), stopPatienceMs)
  child.kill('SIGTERM')
  await gone
  clearTimeout(timer)
}

/** Ends whatever still runs, the last first; each has until `stop` gives up on it. */
export async function stopProcesses() {
  for (const running of all.splice(0).toReversed()) await running.stop()
}
