import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../../server/launch/start.mjs', import.meta.url))

const zeroGrace = new URL('../../server/test/faults/zeroGrace.mjs', import.meta.url).href

/** Released bytes go at once, which no variable allows. */
export const withoutGrace = { NODE_OPTIONS: `--import ${zeroGrace}` }

export interface Instance {
  /** Where it is reached from this machine, unless `HOST` says otherwise. */
  readonly url: string
  readonly port: number
  /** Where it keeps its data. */
  readonly directory: string
  /** Ends the process and starts another one with the same data, port and settings. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** The product as people start it, with its demo, on a free port and in a folder of its own. */
export async function startFilegraph(settings: Record<string, string> = {}): Promise<Instance> {
  const directory = await mkdtemp(join(tmpdir(), 'filegraph-walk-'))
  const port = await freePort()
  const environment = { NODE_ENV: 'production', FILEGRAPH_DATA_DIR: directory, PORT: String(port), ...settings }
  let running = runProduct(environment)
  const stop = async () => {
    await running.end()
    await rm(directory, { recursive: true, force: true })
  }
  const restart = async () => {
    await running.end()
    running = runProduct(environment)
    await running.ready
  }
  await running.ready.catch(async (error: unknown) => {
    await stop()
    throw error
  })
  return { url: `http://localhost:${port}`, port, directory, restart, stop }
}

function runProduct(environment: Record<string, string>) {
  const child = spawn(process.execPath, [launcher], {
    env: { ...process.env, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()))
  const end = async () => {
    child.kill('SIGTERM')
    await ended
  }
  return { ready: whenReady(child), end }
}

async function whenReady(child: ChildProcess): Promise<void> {
  let said = ''
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => (said += String(chunk)))
  const deadline = Date.now() + 170_000
  // The printed block comes after the demo; readiness alone would come before it.
  while (!said.includes('Filegraph is running')) {
    if (child.exitCode !== null || Date.now() > deadline) throw new Error(`Filegraph did not start:\n${said}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : 0))
    })
  })
}
