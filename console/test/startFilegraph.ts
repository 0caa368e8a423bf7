import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const launcher = fileURLToPath(new URL('../../server/launch/start.mjs', import.meta.url))

const zeroGrace = new URL('../../server/test/faults/zeroGrace.mjs', import.meta.url).href

/** Deletes released bytes at once, which no setting allows. */
export const withoutGrace = { NODE_OPTIONS: `--import ${zeroGrace}` }

export interface Instance {
  /** Its address on this machine. Wrong if `HOST` is set. */
  readonly url: string
  readonly port: number
  /** Its data folder. */
  readonly directory: string
  /** Starts the process again with the same data, port and settings. */
  restart(): Promise<void>
  stop(): Promise<void>
}

/** Starts the product as people do, with its demo, on a free port and in a new folder. */
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
  // The product prints this after it has created the demo. It is ready before that.
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
