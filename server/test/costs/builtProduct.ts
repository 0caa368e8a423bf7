import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { Agent, request } from 'node:http'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { runFilegraph, temporaryFolder } from '../../src/cli/testing/filegraph.ts'

const server = fileURLToPath(new URL('../..', import.meta.url))

/** Costs of a process can be read. Elsewhere than on Linux the tests of costs have nothing to hold. */
export const hasProc = existsSync('/proc/self/stat')

/**
 * What `npm start` runs: the production build, API and worker in one process, with its own Postgres and bucket. The rate
 * limit is off, since it would refuse before what is measured; every other limit holds.
 */
export class BuiltProduct {
  readonly #folder = temporaryFolder()
  readonly #agent = new Agent({ keepAlive: true, maxSockets: 64 })
  #stop = async () => {}
  #pid = 0
  url = ''

  async start(): Promise<void> {
    await build()
    const child = spawn(process.execPath, [join(server, 'dist', 'main.js'), 'start'], {
      cwd: server,
      env: this.environment(),
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const closed = new Promise<void>((resolve) => child.once('close', () => resolve()))
    let said = ''
    const url = new Promise<string>((resolve, reject) => {
      const listen = (data: Buffer) => {
        said += data.toString()
        const [, found] = /GraphQL\s+(http\S+)\/graphql/.exec(said) ?? []
        if (found !== undefined && said.includes('Ctrl+C')) resolve(found)
      }
      child.stdout.on('data', listen)
      child.stderr.on('data', listen)
      child.once('close', (code) => reject(new Error(`It ended with ${code}: ${said}`)))
    })
    this.#stop = async () => {
      child.kill('SIGTERM')
      await closed
    }
    this.#pid = child.pid ?? 0
    this.url = await url
  }

  async createKey(role: 'MEMBER' | 'OWNER'): Promise<string> {
    const args = ['key', 'create', '--tenant', 'acme', '--name', 'costs', '--role', role]
    const { code, stdout, stderr } = await runFilegraph(args, this.environment())
    if (code !== 0) throw new Error(stderr)
    return stdout.trim()
  }

  /** A request whose answer is read to its end. */
  send(path: string, asked: { readonly key?: string; readonly body?: string } = {}): Promise<SentAnswer> {
    const { key, body } = asked
    const headers = { 'content-type': 'application/json', ...(key && { authorization: `Bearer ${key}` }) }
    const began = performance.now()
    return new Promise((resolve, reject) => {
      const options = { method: body === undefined ? 'GET' : 'POST', headers, agent: this.#agent }
      const sent = request(`${this.url}${path}`, options, (answer) => {
        const parts: Buffer[] = []
        answer.on('data', (part: Buffer) => parts.push(part))
        answer.once('error', reject)
        answer.once('end', () => {
          const text = Buffer.concat(parts).toString()
          resolve({ status: answer.statusCode ?? 0, text, milliseconds: performance.now() - began })
        })
      })
      sent.once('error', reject)
      sent.end(body)
    })
  }

  ask(query: string, { key, variables = {} }: { readonly key?: string; readonly variables?: object } = {}) {
    return this.send('/graphql', { ...(key && { key }), body: JSON.stringify({ query, variables }) })
  }

  /** CPU time of the process since it started, every thread included. Linux counts in hundredths of a second. */
  cpuMs(): number {
    const stat = readFileSync(`/proc/${this.#pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return (Number(fields[11]) + Number(fields[12])) * 10
  }

  /** Resident memory in MB of a million bytes. */
  residentMB(): number {
    const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${this.#pid}/status`, 'utf8')) ?? []
    return (Number(kib) * 1024) / 1e6
  }

  async close(): Promise<void> {
    this.#agent.destroy()
    await this.#stop()
    this.#folder.remove()
  }

  /** Variables for a command beside it. */
  environment(): Record<string, string> {
    const { PATH = '', HOME = '' } = process.env
    return {
      PATH,
      HOME,
      NODE_ENV: 'production',
      FILEGRAPH_DATA_DIR: join(this.#folder.path, 'data'),
      PORT: '0',
      RATE_LIMIT_OPERATIONS_PER_MINUTE: '0',
    }
  }
}

export interface SentAnswer {
  readonly status: number
  readonly text: string
  readonly milliseconds: number
}

/** Builds the server unless nothing changed since the last time. */
function build(): Promise<void> {
  const script = `import { ensureServerBuilt } from './launch/ensureBuilt.mjs'; await ensureServerBuilt()`
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], { cwd: server, stdio: 'inherit' })
  return new Promise((resolve, reject) =>
    child.once('close', (code) => (code === 0 ? resolve() : reject(new Error('The server could not be built')))),
  )
}
