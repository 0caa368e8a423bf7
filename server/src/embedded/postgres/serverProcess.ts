import { spawn } from 'node:child_process'
import { closeSync, openSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { commandOf, isRunning } from '../folder/folderLock.ts'
import type { Cluster } from './cluster.ts'

export interface ServerOptions {
  readonly port: number
  /** The log file of the server. */
  readonly logFile: string
  readonly durable: boolean
}

export interface ServerProcess {
  readonly pid: number
  readonly exited: Promise<void>
}

const logMaxBytes = 5_000_000

const settings = ({ port, durable }: ServerOptions) => ({
  port,
  listen_addresses: '127.0.0.1',
  // A socket would be another way in, and its path is limited to 107 bytes.
  unix_socket_directories: '',
  max_connections: 200,
  shared_buffers: '128MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Statements contain names of files and people, which must not be logged.
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
  logging_collector: 'off',
  ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
})

const environment = { PATH: '/usr/bin:/bin', LC_ALL: 'C' }

/** Starts the server in its own process group, so that Ctrl+C in a terminal signals only our process. */
export function spawnServer({ binaries, user, folder, files }: Cluster, options: ServerOptions): ServerProcess {
  const flags = Object.entries(settings(options)).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const log = openLog(options.logFile)
  const own = { ...user, cwd: folder, env: environment, detached: true }
  const child = spawn(binaries.postgres, ['-D', files, ...flags], { ...own, stdio: ['ignore', log, log] })
  closeSync(log)
  const exited = new Promise<void>((resolve) => {
    child.once('exit', () => resolve()).once('error', () => resolve())
  })
  child.unref()
  return { pid: child.pid ?? 0, exited }
}

/** Rotates a full log when a server starts. One earlier log is kept. */
function openLog(path: string): number {
  if ((statSync(path, { throwIfNoEntry: false })?.size ?? 0) > logMaxBytes) renameSync(path, `${path}.1`)
  return openSync(path, 'a', 0o600)
}

/** Runs one statement in single-user mode, without a password. No server may run on the cluster. */
export async function runWithoutServer({ binaries, user, folder, files }: Cluster, statement: string): Promise<void> {
  const own = { ...user, cwd: folder, env: environment }
  const child = spawn(binaries.postgres, ['--single', '-c', 'exit_on_error=on', '-D', files, 'postgres'], {
    ...own,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  const code = new Promise((resolve) => child.once('exit', resolve).once('error', resolve))
  child.stdin.end(`${statement}\n`)
  if ((await code) !== 0) throw new Error(`PostgreSQL could not change its files in ${files}.`)
}

/**
 * Sends fast shutdown, then immediate shutdown, then SIGKILL, the order that PostgreSQL documents. Resolves when the
 * process is gone.
 */
export async function endServer(pid: number, patienceMs = 20_000): Promise<void> {
  const signals = [
    ['SIGINT', patienceMs],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const
  for (const [signal, patience] of signals) {
    if (pid === 0 || !tell(pid, signal)) return
    for (const end = Date.now() + patience; Date.now() < end && isRunning(pid);) await sleep(20)
  }
}

/** Sends a signal. Returns false if the process is gone. */
export function tell(pid: number, signal: NodeJS.Signals): boolean {
  try {
    return process.kill(pid, signal)
  } catch {
    return false
  }
}

/**
 * Prepares the files for a new server. Ends a server that outlived its parent process, because only one may use the
 * files. Corrects a lock file whose process id belongs to an unrelated process.
 */
export async function endOrphan({ files }: Cluster): Promise<void> {
  const pidFile = join(files, 'postmaster.pid')
  const lines = readLines(pidFile)
  const pid = Number(lines[0])
  if (!Number.isSafeInteger(pid) || pid <= 0 || !isRunning(pid)) return
  if (isServerOf(files, pid)) return endServer(pid)
  // PostgreSQL takes any process with that id for another server, except the one that starts it. The other lines stay,
  // because they tell it whether a child of the last server still uses its shared memory.
  writeFileSync(pidFile, [process.pid, ...lines.slice(1)].join('\n'))
}

function readLines(path: string): string[] {
  try {
    return readFileSync(path, 'utf8').split('\n')
  } catch {
    return []
  }
}

/** True if the process is a server on these files. Its working directory is the folder, even if that was moved. */
function isServerOf(files: string, pid: number): boolean {
  const command = commandOf(pid)
  if (!command.includes('/postgres -D ')) return false
  try {
    const [ours, theirs] = [statSync(files), statSync(`/proc/${pid}/cwd/`)]
    return ours.dev === theirs.dev && ours.ino === theirs.ino
  } catch {
    return command.includes(` -D ${files} `)
  }
}
