import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** True while a process of this id runs, whoever owns it. */
export function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/**
 * When a process was started, as the kernel counts it; null where that cannot be known. Together with the id it names
 * one process, since ids are given out again. Field 22 of `/proc/<pid>/stat` (proc(5)); field 2 may hold spaces.
 */
export function startOf(pid: number): string | null {
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

/** The program and its arguments, separated by spaces; empty where that cannot be known. */
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
