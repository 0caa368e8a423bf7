import { execFileSync } from 'node:child_process'
import { readFileSync, linkSync, rmSync, statSync, unlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'

/** True while a process with this id runs, under any owner. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * When a process started, as the kernel counts it. Null if unknown. Together with the id it identifies one process,
 * because ids are reused. Field 22 of `/proc/<pid>/stat` (proc(5)); field 2 can contain spaces.
 */
function startOf(pid: number): string | null {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return (
      stat
        .slice(stat.lastIndexOf(')') + 2)
        .split(' ')
        .at(19) ?? null
    )
  } catch {
    return askPs(pid, 'lstart=')
  }
}

/** The program and its arguments, separated by spaces. Empty if unknown. */
export function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim()
  } catch {
    return askPs(pid, 'command=') ?? ''
  }
}

/** For systems without /proc, such as macOS. */
function askPs(pid: number, column: string): string | null {
  if (process.platform === 'linux') return null
  try {
    return execFileSync('ps', ['-o', column, '-p', String(pid)], { encoding: 'utf8' }).trim() || null
  } catch {
    return null
  }
}

/** Another running process uses the folder. */
export class FolderInUse extends Error {
  override readonly name = 'FolderInUse'
}

interface Holder {
  readonly pid: number
  readonly start: string | null
}

const attempts = 100
const pauseMs = 50
const takeoverMs = 5_000

/**
 * Locks the folder for this process and returns a function that releases it. Takes over a lock whose process is gone.
 * If several processes try at once, one succeeds. Rejects with `FolderInUse`.
 */
export async function lockFolder(folder: string): Promise<() => void> {
  const lock = join(folder, 'lock')
  const mine: Holder = { pid: process.pid, start: startOf(process.pid) }
  for (let attempt = 0; attempt < attempts; attempt += 1) {
    if (create(lock, mine)) return () => release(lock, mine)
    const holder = findHolder(folder)
    if (holder) {
      throw new FolderInUse(`The data folder ${folder} is in use by a running Filegraph (process ${holder.pid}).`)
    }
    removeStale(lock)
    await sleep(pauseMs)
  }
  throw new FolderInUse(`The data folder ${folder} could not be locked.`)
}

/** The process that holds the folder. Null if there is none. */
export function findHolder(folder: string): Holder | null {
  const holder = readHolder(join(folder, 'lock'))
  return holder && isAlive(holder) ? holder : null
}

/** Creates the lock atomically: writes a temporary file, then links it, which fails if a lock exists. */
function create(lock: string, mine: Holder): boolean {
  const aside = `${lock}.${process.pid}`
  writeFileSync(aside, JSON.stringify(mine), { mode: 0o600 })
  try {
    linkSync(aside, lock)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  } finally {
    unlinkSync(aside)
  }
}

function readHolder(lock: string): Holder | null {
  try {
    return JSON.parse(readFileSync(lock, 'utf8')) as Holder
  } catch {
    return null
  }
}

function isAlive({ pid, start }: Holder): boolean {
  return isRunning(pid) && (start === null || startOf(pid) === start)
}

/**
 * Only one process at a time removes a stale lock. Otherwise a second process could remove the lock that the first has
 * just taken.
 */
function removeStale(lock: string): void {
  const takeover = `${lock}.takeover`
  try {
    writeFileSync(takeover, '', { flag: 'wx' })
  } catch {
    const age = Date.now() - (statSync(takeover, { throwIfNoEntry: false })?.mtimeMs ?? Date.now())
    if (age > takeoverMs) rmSync(takeover, { force: true })
    return
  }
  try {
    const holder = readHolder(lock)
    if (!holder || !isAlive(holder)) rmSync(lock, { force: true })
  } finally {
    rmSync(takeover, { force: true })
  }
}

function release(lock: string, mine: Holder): void {
  const holder = readHolder(lock)
  if (holder?.pid === mine.pid && holder.start === mine.start) rmSync(lock, { force: true })
}
