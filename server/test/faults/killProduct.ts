import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Filegraph, runFilegraph, temporaryFolder } from '../../src/cli/testing/filegraph.ts'

export type Victim = 'node' | 'postmaster' | 'backend' | 'everything'

/** The whole product in processes of its own, with its own database and bucket, to be killed and started again. */
export class Product {
  readonly #base = temporaryFolder()
  readonly #folder = join(this.#base.path, 'data')
  #running: Filegraph | null = null
  url = ''

  readonly #environment = () => ({
    FILEGRAPH_DATA_DIR: this.#folder,
    PORT: '0',
    NODE_OPTIONS: `--import tsx --import ${new URL('zeroGrace.mjs', import.meta.url).href}`,
    RATE_LIMIT_OPERATIONS_PER_MINUTE: '0',
    LOG_LEVEL: 'warn',
  })

  async start(): Promise<void> {
    this.#running = new Filegraph(['start'], this.#environment())
    this.url = await this.#running.url()
  }

  async run(...args: readonly string[]): Promise<string> {
    const { code, stdout, stderr } = await runFilegraph(args, this.#environment())
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}:\n${stdout}\n${stderr}`)
    return stdout.trim()
  }

  /** Kills without a warning; processes that are still needed are started again. Resolves when the product is ready. */
  async kill(victim: Victim): Promise<void> {
    const postmaster = this.#postmaster()
    const backends = postmaster === null ? [] : childrenOf(postmaster)
    const backend = backends[Math.floor(Math.random() * backends.length)]
    if (victim === 'backend') end(backend)
    if (victim === 'postmaster') end(postmaster)
    if (victim === 'node' || victim === 'everything') this.#running?.child.kill('SIGKILL')
    if (victim === 'everything') for (const pid of [postmaster, ...backends]) end(pid)
    if (victim === 'node' || victim === 'everything') {
      await this.#running?.finished
      await this.start()
    }
    await this.#ready()
  }

  /** Does it end in the usual way, and takes everything away. */
  async remove(): Promise<void> {
    await this.#running?.stop()
    this.#base.remove()
  }

  async #ready(): Promise<void> {
    for (let tries = 0; tries < 600; tries += 1) {
      const answer = await fetch(`${this.url}/readyz`).catch(() => null)
      if (answer?.status === 200) return
      await sleep(100)
    }
    throw new Error('The product does not come back')
  }

  #postmaster(): number | null {
    const file = join(this.#folder, 'postgres', 'cluster', 'postmaster.pid')
    if (!existsSync(file)) return null
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0])
    return Number.isSafeInteger(pid) && pid > 1 ? pid : null
  }
}

function end(pid: number | null | undefined): void {
  try {
    if (pid) process.kill(pid, 'SIGKILL')
  } catch {
    // It was gone already.
  }
}

function childrenOf(parent: number): number[] {
  const processes = existsSync('/proc/self') ? readdirSync('/proc').map(readParent) : askPs()
  return processes.filter(([, ppid]) => ppid === parent).map(([pid]) => pid)
}

type Kinship = readonly [pid: number, parent: number]

function readParent(pid: string): Kinship {
  try {
    const stat = readFileSync(`/proc/${Number(pid)}/stat`, 'utf8')
    return [Number(pid), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1])]
  } catch {
    return [0, 0]
  }
}

const askPs = (): Kinship[] =>
  execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' })
    .split('\n')
    .map((line) => line.trim().split(/\s+/).map(Number) as unknown as Kinship)
