import autocannon from 'autocannon'
import { cpuMsOf, cpuMsWithChildren } from './processUse.mjs'
import { percentile } from './statistics.mjs'

/** Fewer say nothing: on a machine that is busy with something else a round lasts until it has them. */
const fewestRequests = 200

const longestRoundSeconds = 120

/**
 * Sends one request over and over from `clients` connections for `seconds`. Answers with requests a second, latencies in
 * milliseconds, and CPU microseconds a request of the process that answers and of Postgres (null where unknown).
 * Rejects when any answer was not the one that was wanted.
 */
export async function load({ url, pid, postgresPid }, request, { clients, seconds }) {
  const before = { node: cpuMsOf(pid), postgres: cpuMsWithChildren(postgresPid) }
  const started = performance.now()
  const { latencies, failures } = await send(url, request, { clients, seconds })
  const elapsed = (performance.now() - started) / 1000
  if (failures.length > 0) throw new Error(`${request.name} at ${url}: ${failures.join(', ')}`)
  const sorted = latencies.sort((a, b) => a - b)
  const count = sorted.length
  const each = (total, was) => (total === null || was === null ? null : ((total - was) * 1000) / count)
  return {
    requestsPerSecond: count / elapsed,
    p50: percentile(sorted, 0.5),
    p99: percentile(sorted, 0.99),
    nodeCpu: each(cpuMsOf(pid), before.node),
    postgresCpu: each(cpuMsWithChildren(postgresPid), before.postgres),
  }
}

function send(url, { key, body }, { clients, seconds }) {
  const latencies = []
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const verifyBody = (text) => text.startsWith('{"data":')
  const options = {
    url: `${url}/graphql`,
    method: 'POST',
    headers,
    body,
    verifyBody,
    connections: clients,
    sampleInt: 100,
  }
  return new Promise((resolve, reject) => {
    const finish = (error, { errors, timeouts, non2xx, mismatches } = {}) => {
      if (error) return reject(error)
      const failures = Object.entries({ errors, timeouts, non2xx, mismatches }).filter(([, count]) => count > 0)
      return resolve({ latencies, failures: failures.map(([kind, count]) => `${count} ${kind}`) })
    }
    const end = performance.now() + seconds * 1000
    const running = autocannon({ ...options, duration: longestRoundSeconds }, finish)
    running.on('response', (_client, _status, _bytes, ms) => {
      latencies.push(ms)
      if (latencies.length >= fewestRequests && performance.now() >= end) running.stop()
    })
  })
}
