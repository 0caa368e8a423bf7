import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import type { WorkerOptions } from './workerChild.ts'

const program = fileURLToPath(new URL('workerChild.ts', import.meta.url))

/** A worker in a process of its own. */
export class WorkerProcess {
  readonly #child: ChildProcess
  readonly #exited: Promise<unknown>
  /** What it has logged so far. */
  readonly lines: Record<string, unknown>[] = []

  private constructor(child: ChildProcess) {
    this.#child = child
    this.#exited = once(child, 'exit')
    if (child.stdout) {
      createInterface({ input: child.stdout }).on('line', (line) => this.lines.push(JSON.parse(line)))
    }
  }

  /** Resolves once it waits for jobs. */
  static async start(options: WorkerOptions): Promise<WorkerProcess> {
    const child = fork(program, [JSON.stringify(options)], {
      execArgv: ['--import', 'tsx'],
      env: { ...process.env, NODE_NO_WARNINGS: '1' },
      stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
    })
    const worker = new WorkerProcess(child)
    const ended = worker.#exited.then(() => Promise.reject(new Error('The worker ended before it was ready')))
    await Promise.race([once(child, 'message'), ended])
    ended.catch(() => undefined)
    return worker
  }

  /** As a signal to stop does it. Resolves when the process has ended. */
  async stop(): Promise<void> {
    this.#child.send('stop')
    await this.#exited
  }

  /** Without a warning. */
  async kill(): Promise<void> {
    this.#child.kill('SIGKILL')
    await this.#exited
  }
}
