import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { setTimeout as sleep } from 'node:timers/promises'
import { LaunchFailed, repository, say } from './workspace.mjs'

const lock = fileURLToPath(new URL('.lock', import.meta.url))
const pollMs = 200
const readOnly = ['EACCES', 'EPERM', 'EROFS']

/**
 * Runs the work while no other command of this checkout installs or builds. Commands that come in the meantime wait; a
 * lock whose process has gone counts for nothing.
 *
 * @template T
 * @param {() => Promise<T>} work
 * @returns {Promise<T>}
 */
export async function exclusively(work) {
  const mine = `${process.pid} ${startOf(process.pid)}`
  for (let isTold = false; !take(mine); await sleep(pollMs)) {
    const holder = read(lock)
    if (holder === undefined) continue
    if (!isAlive(holder)) removeStale(holder)
    else if (!isTold) {
      isTold = true
      say(`Waiting for another command that prepares Filegraph (process ${holder.split(' ')[0]})…`)
    }
  }
  const release = () => rmSync(lock, { force: true })
  process.once('exit', release)
  try {
    return await work()
  } finally {
    process.off('exit', release)
    release()
  }
}

/** Written aside and linked, so that the lock is complete or not there at all. */
function take(mine) {
  const aside = `${lock}.${process.pid}`
  try {
    writeFileSync(aside, mine)
    linkSync(aside, lock)
    return true
  } catch (error) {
    if (error.code === 'EEXIST') return false
    if (!readOnly.includes(error.code)) throw error
    throw new LaunchFailed(
      `Something has to be installed or built, and ${repository} cannot be written to. Run "npm run filegraph -- --help" once as its owner.`,
    )
  } finally {
    rmSync(aside, { force: true })
  }
}

/** Moved away before it is looked at once more: between two looks somebody else may have taken the lock. */
function removeStale(seen) {
  const aside = `${lock}.${process.pid}.stale`
  try {
    renameSync(lock, aside)
    if (read(aside) !== seen) linkSync(aside, lock)
  } catch {
    // Another command was first.
  }
  rmSync(aside, { force: true })
}

function isAlive(holder) {
  const [pid, start] = holder.split(' ')
  try {
    process.kill(Number(pid), 0)
  } catch (error) {
    if (error.code !== 'EPERM') return false
  }
  return startOf(pid) === start
}

/** When a process was started (proc(5), field 22 of `stat`), since ids are given out again; empty without /proc. */
function startOf(pid) {
  const stat = read(`/proc/${pid}/stat`) ?? ''
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
}

function read(path) {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}
