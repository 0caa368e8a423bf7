import { existsSync, openSync, readSync } from 'node:fs'
import { createHistogram } from 'node:perf_hooks'

/**
 * To be loaded into a process before its own program (`--import`): tells its parent, when asked, for how long its event
 * loop answered nobody since it was asked last, in milliseconds. `waits` are by the clock and include the waiting for a
 * processor; `steps` are what the process itself did meanwhile, by the processor time of its main thread. Null where
 * the system does not count that (proc(5): the first number is nanoseconds).
 */
const tickMs = 1
const counter = `/proc/self/task/${process.pid}/schedstat`
const file = existsSync(counter) ? openSync(counter) : null
const text = Buffer.alloc(64)
const waits = createHistogram()
const steps = createHistogram()
let [tickedAt, usedBefore] = [performance.now(), usedNanoseconds()]

function usedNanoseconds() {
  return file === null ? 0 : Number(text.toString('latin1', 0, readSync(file, text, 0, text.length, 0)).split(' ')[0])
}

setInterval(() => {
  const [now, used] = [performance.now(), usedNanoseconds()]
  waits.record(Math.max(1, Math.round((now - tickedAt - tickMs) * 1e6)))
  steps.record(Math.max(1, used - usedBefore))
  tickedAt = now
  usedBefore = used
}, tickMs).unref()

process.on('message', (message) => {
  if (message !== 'event loop') return
  const told = (histogram) => ({ p99: histogram.percentile(99) / 1e6, max: histogram.max / 1e6 })
  process.send({ waits: told(waits), steps: file === null ? null : told(steps) })
  waits.reset()
  steps.reset()
})
process.channel.unref()
