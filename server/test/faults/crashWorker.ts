import { type ChildProcess, execFileSync, fork } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import type { Order, Report } from './crashActions.ts'

const askPs = (pid: number): string => execFileSync('ps', ['-o', 'state=', '-p', String(pid)], { encoding: 'utf8' })

const program = fileURLToPath(new URL('crashChild.ts', import.meta.url))

/** Processes that do one thing after the other, until they are killed; the next one is always on its way. */
export class CrashWorkers {
  readonly #options: string
  #next: Promise<ChildProcess>
  readonly #all = new Set<ChildProcess>()

  constructor(options: { readonly databaseUrl: string; readonly bucket: object }) {
    this.#options = JSON.stringify(options)
    this.#next = this.#start()
  }

  async #start(): Promise<ChildProcess> {
    const child = fork(program, [this.#options], {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    this.#all.add(child)
    child.once('exit', () => this.#all.delete(child))
    await once(child, 'message')
    return child
  }

  /** Resolves with the report, or with null when the process was killed on the way. */
  async carryOut(order: Order): Promise<Report | null> {
    const child = await this.#next
    const reported = once(child, 'message').then(([report]) => report as Report)
    const died = once(child, 'exit').then(() => null)
    child.send(order)
    const report = await Promise.race([reported, died])
    this.#next = report === null ? this.#start() : Promise.resolve(child)
    return report
  }

  /** Begins it and leaves it to the caller; the next order goes to another process. */
  async begin(order: Order): Promise<{ readonly child: ChildProcess; readonly report: Promise<Report> }> {
    const child = await this.#next
    this.#next = this.#start()
    const report = once(child, 'message').then(([told]) => told as Report)
    child.send(order)
    return { child, report }
  }

  /** As the kernel tells, or `ps` where it does not. */
  isStopped({ pid = 0 }: ChildProcess): boolean {
    const isLinux = existsSync('/proc/self')
    const told = isLinux ? readFileSync(`/proc/${pid}/stat`, 'utf8') : askPs(pid)
    return told
      .slice(told.lastIndexOf(')') + 1)
      .trim()
      .startsWith('T')
  }

  async close(): Promise<void> {
    await this.#next
    await Promise.all(
      [...this.#all].map(async (child) => {
        const exited = once(child, 'exit')
        child.kill('SIGKILL')
        await exited
      }),
    )
  }
}
