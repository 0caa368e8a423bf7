import { readdirSync, readFileSync } from 'node:fs'

/** Linux counts in hundredths of a second, whatever the kernel's own clock. */
const msPerTick = 10

/** CPU time of a process in milliseconds since it started; null where there is no /proc. */
export const cpuMsOf = (pid) => {
  const stat = statOf(pid)
  return stat && stat.own * msPerTick
}

/** The same of a process with its children, those that have ended included. */
export function cpuMsWithChildren(pid) {
  const stat = statOf(pid)
  if (!stat) return null
  const living = childrenOf(pid).map((child) => statOf(child)?.own ?? 0)
  return (stat.own + stat.ofEnded + living.reduce((sum, ticks) => sum + ticks, 0)) * msPerTick
}

const mbPerKib = 1024 / 1e6

/** Resident memory in MB of a million bytes. */
export function residentMB(pid) {
  const [, kib] = /^VmRSS:\s+(\d+)/m.exec(readProc(pid, 'status') ?? '') ?? []
  return kib === undefined ? null : Number(kib) * mbPerKib
}

/** Memory of a process and its children in MB, with what they share counted once. */
export function sharedMB(pid) {
  const sizes = [pid, ...childrenOf(pid)].map(
    (each) => /^Pss:\s+(\d+)/m.exec(readProc(each, 'smaps_rollup') ?? '')?.[1],
  )
  const known = sizes.filter((size) => size !== undefined)
  return known.length === 0 ? null : known.reduce((sum, kib) => sum + Number(kib), 0) * mbPerKib
}

function childrenOf(pid) {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && statOf(name)?.parent === pid)
    .map(Number)
}

/** proc(5): what follows the name in brackets starts with the state, which is field 3. */
function statOf(pid) {
  const text = readProc(pid, 'stat')
  if (text === null) return null
  const fields = text
    .slice(text.lastIndexOf(')') + 2)
    .split(' ')
    .map(Number)
  const [utime, stime, cutime, cstime] = fields.slice(11, 15)
  return { parent: fields[1], own: utime + stime, ofEnded: cutime + cstime }
}

function readProc(pid, name) {
  try {
    return readFileSync(`/proc/${pid}/${name}`, 'utf8')
  } catch {
    return null
  }
}
