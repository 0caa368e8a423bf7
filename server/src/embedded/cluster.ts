import { type ChildProcess, execFile, spawn } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { promisify } from 'node:util'
import { isRunning } from './processIdentity.ts'
import type { PostgresBinaries } from './postgresBinaries.ts'
import type { SystemUser } from './systemUser.ts'

export interface ClusterOptions {
  readonly binaries: PostgresBinaries
  readonly user: SystemUser | undefined
  /** Holds `cluster`, and belongs to `user`. */
  readonly folder: string
  readonly superuserPassword: string
  /** Where the server writes its log. */
  readonly logFile: string
  /** False in tests alone: an acknowledged commit has to survive a power cut. */
  readonly durable: boolean
}

/** The files of a database cluster, made complete or not at all. */
export async function ensureCluster(options: ClusterOptions): Promise<string> {
  const { binaries, user, folder, durable } = options
  const cluster = join(folder, 'cluster')
  if (existsSync(join(cluster, 'PG_VERSION'))) return cluster
  const aside = `${cluster}.new`
  rmSync(aside, { recursive: true, force: true })
  rmSync(cluster, { recursive: true, force: true })
  const passwordFile = join(folder, 'password')
  writeFileSync(passwordFile, options.superuserPassword, { mode: 0o600 })
  if (user) chownSync(passwordFile, user.uid, user.gid)
  const flags = ['--username=postgres', `--pwfile=${passwordFile}`, '--auth=scram-sha-256', '--encoding=UTF8']
  const locale = ['--locale-provider=builtin', '--builtin-locale=C.UTF-8', '--no-locale']
  try {
    await promisify(execFile)(
      binaries.initdb,
      [...flags, ...locale, '--no-instructions', ...(durable ? [] : ['--no-sync']), '-D', aside],
      { ...user, cwd: folder, env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin' } },
    )
  } finally {
    rmSync(passwordFile, { force: true })
  }
  renameSync(aside, cluster)
  return cluster
}

/** Makes a folder that belongs to `user` alone. */
export function makeFolderFor(user: SystemUser | undefined, folder: string): void {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  if (user) chownSync(folder, user.uid, user.gid)
  chmodSync(folder, 0o700)
}

const settings = (port: number, durable: boolean) => ({
  port,
  listen_addresses: '127.0.0.1',
  // A socket file would be one more door, and its path must not be longer than 107 bytes.
  unix_socket_directories: '',
  max_connections: 200,
  shared_buffers: '128MB',
  timezone: 'UTC',
  log_timezone: 'UTC',
  // Statements hold names of files and people; the log of the database is not the place for them.
  log_min_error_statement: 'panic',
  log_checkpoints: 'off',
  logging_collector: 'off',
  ...(durable ? {} : { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off' }),
})

/** Starts the server in a process group of its own, so that a Ctrl-C in the terminal reaches us and not it. */
export function spawnPostgres(options: ClusterOptions, cluster: string, port: number): ChildProcess {
  const log = openSync(options.logFile, 'a', 0o600)
  const flags = Object.entries(settings(port, options.durable)).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const child = spawn(options.binaries.postgres, ['-D', cluster, ...flags], {
    ...options.user,
    cwd: options.folder,
    detached: true,
    stdio: ['ignore', log, log],
    env: { PATH: process.env['PATH'] ?? '/usr/bin:/bin', LC_ALL: 'C' },
  })
  closeSync(log)
  return child
}

/** Fast shutdown, then immediate, then by force: PostgreSQL's own order. Resolves when the process is gone. */
export async function endPostgres(pid: number, patienceMs = 20_000): Promise<void> {
  const signals = [
    ['SIGINT', patienceMs],
    ['SIGQUIT', 5_000],
    ['SIGKILL', 5_000],
  ] as const
  for (const [signal, patience] of signals) {
    if (!isRunning(pid)) return
    process.kill(pid, signal)
    for (const end = Date.now() + patience; Date.now() < end && isRunning(pid);) await sleep(20)
  }
}

/** A server that outlived the process that started it is still the only one that may touch its files: it is ended. */
export async function endOrphan(cluster: string): Promise<void> {
  const pidFile = join(cluster, 'postmaster.pid')
  if (!existsSync(pidFile)) return
  const pid = Number(readFileSync(pidFile, 'utf8').split('\n', 1)[0])
  if (pid > 0 && isRunning(pid) && isPostgres(pid)) await endPostgres(pid)
}

function isPostgres(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0', 1)[0]?.includes('postgres') ?? false
  } catch {
    // Without /proc there is no telling; PostgreSQL itself refuses a second server on one folder.
    return false
  }
}
