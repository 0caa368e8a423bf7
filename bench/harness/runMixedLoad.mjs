import { pickOperation } from './mixedOperations.mjs'
import { openClient } from './openClient.mjs'
import { percentile } from './statistics.mjs'

const longestPatienceMs = 60

/** Ends an operation whose request was given up on purpose. */
class GivenUp extends Error {}

/**
 * `clients` clients that ask for this and that in one tenant after the other. A share of the requests, `abortShare`, is
 * given up at a random moment. Answers with how many requests were answered, how many given up, what went wrong how
 * often, and latencies in milliseconds.
 */
export async function runMixedLoad({ url }, tenants, { clients, seconds, abortShare }) {
  const client = openClient(clients)
  const latencies = []
  const errors = new Map()
  let givenUp = 0

  async function exchange(address, options) {
    const started = performance.now()
    const answer = await client.send(address, options)
    if (answer === null) {
      givenUp += 1
      throw new GivenUp()
    }
    latencies.push(performance.now() - started)
    return answer
  }

  async function send({ name, key, body }) {
    const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
    const abortAfterMs = Math.random() < abortShare ? Math.random() * longestPatienceMs : undefined
    const { status, text } = await exchange(`${url}/graphql`, { method: 'POST', headers, body, abortAfterMs })
    const isGood = status === 200 && text.startsWith('{"data":')
    if (!isGood) throw new Error(`${name}: ${status} ${text.slice(0, 200)}`)
    return JSON.parse(text).data
  }

  async function put(address, headers, body) {
    const { status } = await exchange(address, { method: 'PUT', headers, body })
    if (status !== 200) throw new Error(`PUT: ${status}`)
  }

  const end = performance.now() + seconds * 1000
  async function ask() {
    while (performance.now() < end) {
      const tenant = tenants[Math.floor(Math.random() * tenants.length)]
      await pickOperation()
        .run(tenant, { send, put })
        .catch((error) => {
          if (error instanceof GivenUp) return
          const what = error.code ?? error.message
          errors.set(what, (errors.get(what) ?? 0) + 1)
        })
    }
  }
  await Promise.all(Array.from({ length: clients }, ask))
  client.close()
  const sorted = latencies.sort((a, b) => a - b)
  return { answered: sorted.length, givenUp, errors, p50: percentile(sorted, 0.5), p99: percentile(sorted, 0.99) }
}
