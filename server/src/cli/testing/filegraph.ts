import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { chmodSync, existsSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const server = fileURLToPath(new URL('../../..', import.meta.url))

/** Uses the build if it is up to date, because it starts a second faster. Otherwise uses the sources. */
const entry = isBuiltUpToDate() ? ['dist/main.js'] : ['--import', 'tsx', 'src/main.ts']

function isBuiltUpToDate(): boolean {
  const built = statSync(join(server, 'dist', 'main.js'), { throwIfNoEntry: false })?.mtimeMs
  if (built === undefined) return false
  const sources = readdirSync(join(server, 'src'), { recursive: true, encoding: 'utf8' })
  return sources.every((path) => statSync(join(server, 'src', path)).mtimeMs <= built)
}

export type Environment = Readonly<Record<string, string>>

export interface Finished {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs Filegraph in its own process and process group, without our environment. */
export class Filegraph {
  readonly child: ChildProcess
  readonly finished: Promise<Finished>
  stdout = ''
  stderr = ''

  constructor(args: readonly string[], environment: Environment, input = '') {
    const { PATH = '', HOME = '' } = process.env
    this.child = spawn(process.execPath, [...entry, ...args], {
      cwd: server,
      env: { PATH, HOME, ...environment },
      stdio: 'pipe',
      detached: true,
    })
    this.child.stdin?.end(input)
    this.child.stdout?.on('data', (data: Buffer) => (this.stdout += data.toString()))
    this.child.stderr?.on('data', (data: Buffer) => (this.stderr += data.toString()))
    this.finished = new Promise((resolve) =>
      this.child.once('close', (code) => resolve({ code, stdout: this.stdout, stderr: this.stderr })),
    )
  }

  /** Resolves with the URL when everything is up. Rejects with the output if the process ends before. */
  async url(): Promise<string> {
    const isOver = this.finished.then(({ code, stderr }) => {
      throw new Error(`It ended with ${code}: ${stderr}`)
    })
    for (;;) {
      const [, url] = /GraphQL\s+(http\S+)\/graphql/.exec(this.stdout) ?? []
      if (url !== undefined && this.stdout.includes('Ctrl+C')) return url
      await Promise.race([isOver, new Promise((resolve) => setTimeout(resolve, 50))])
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<Finished> {
    this.child.kill(signal)
    return this.finished
  }

  /** Sends SIGINT to every process of the group, as a terminal does for Ctrl+C. */
  async interruptGroup(): Promise<Finished> {
    process.kill(-(this.child.pid ?? 0), 'SIGINT')
    return this.finished
  }
}

export const runFilegraph = (args: readonly string[], environment: Environment, input?: string): Promise<Finished> =>
  new Filegraph(args, environment, input).finished

/** A folder for one test. `remove` deletes everything in it, including the files of its database. */
export function temporaryFolder(): { path: string; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), 'filegraph-start-'))
  // If the tests run as root, the database's own user has to enter the folder.
  chmodSync(path, 0o711)
  return {
    path,
    remove() {
      // The files of the database can be elsewhere, behind a link.
      const postgres = [join(path, 'postgres'), ...readdirSync(path).map((name) => join(path, name, 'postgres'))]
      for (const folder of postgres.filter((each) => existsSync(each))) {
        rmSync(realpathSync(folder), { recursive: true, force: true })
      }
      rmSync(path, { recursive: true, force: true })
    },
  }
}

/** The command lines of running processes that contain the folder. */
export function processesOf(folder: string): string[] {
  const own = String(process.pid)
  if (!existsSync('/proc/self')) {
    const lines = execFileSync('ps', ['-A', '-o', 'args='], { encoding: 'utf8' }).split('\n')
    return lines.filter((line) => line.includes(folder))
  }
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name) && name !== own)
  return pids.map(commandLineOf).filter((line) => line.includes(folder))
}

function commandLineOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')
  } catch {
    return ''
  }
}
