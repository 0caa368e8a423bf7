import { monitorEventLoopDelay } from 'node:perf_hooks'
import { Counter, Gauge, type Registry } from 'prom-client'

const nanosecondsPerSecond = 1e9

/**
 * Memory, CPU and event loop under the names that dashboards of prom-client use. Its own default metrics also observe
 * each garbage collection, which costs a busy process more than all other metrics together.
 */
export function processMetrics(registry: Registry): void {
  const registers = [registry]
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      name,
      help,
      registers,
      collect() {
        this.set(read())
      },
    })
  const lag = monitorEventLoopDelay({ resolution: 20 })
  lag.enable()
  gauge('nodejs_eventloop_lag_mean_seconds', 'Mean delay of the event loop since the last scrape.', () =>
    Number.isNaN(lag.mean) ? 0 : lag.mean / nanosecondsPerSecond,
  )
  gauge('nodejs_eventloop_lag_p99_seconds', '99th percentile of the delay since the last scrape.', () => {
    const seconds = lag.percentile(99) / nanosecondsPerSecond
    // Metrics are collected in the order of their creation, so the mean has been read.
    lag.reset()
    return seconds
  })
  gauge('process_resident_memory_bytes', 'Resident memory.', () => process.memoryUsage.rss())
  gauge('nodejs_heap_size_used_bytes', 'Used heap.', () => process.memoryUsage().heapUsed)
  gauge(
    'process_start_time_seconds',
    'When the process started, since 1970.',
    () => Date.now() / 1000 - process.uptime(),
  )
  let counted = 0
  void new Counter({
    name: 'process_cpu_seconds_total',
    help: 'CPU time of all threads.',
    registers,
    collect() {
      const { user, system } = process.cpuUsage()
      this.inc((user + system) / 1e6 - counted)
      counted = (user + system) / 1e6
    },
  })
}
