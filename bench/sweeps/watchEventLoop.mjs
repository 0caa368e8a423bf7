import { monitorEventLoopDelay } from 'node:perf_hooks'

/**
 * To be loaded into a process before its own program (`--import`): tells its parent, when asked, for how long its event
 * loop answered nobody, in milliseconds, since it was asked last.
 */
const delays = monitorEventLoopDelay({ resolution: 1 })
delays.enable()
process.on('message', (message) => {
  if (message !== 'event loop') return
  const inMs = (nanoseconds) => nanoseconds / 1e6
  process.send({ p50: inMs(delays.percentile(50)), p99: inMs(delays.percentile(99)), max: inMs(delays.max) })
  delays.reset()
})
process.channel.unref()
