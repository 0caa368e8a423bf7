import { residentMB, sharedMB } from './processUse.mjs'
import { median } from './statistics.mjs'

const everyMs = 1_000

/** Weighs API and worker (one process) every second until `stop`, which answers with what was found. */
export function watchMemory({ pid, postgresPid }) {
  const weights = []
  const timer = setInterval(() => weights.push(residentMB(pid)), everyMs)
  return {
    stop() {
      clearInterval(timer)
      return { node: residentMB(pid), postgres: sharedMB(postgresPid), growthMB: growthOf(weights) }
    },
  }
}

/** From the second fifth, when everything was used once, to the last. */
function growthOf(weights) {
  const fifth = Math.floor(weights.length / 5)
  if (fifth < 1 || weights.includes(null)) return null
  return median(weights.slice(-fifth)) - median(weights.slice(fifth, 2 * fifth))
}
