import { setTimeout as sleep } from 'node:timers/promises'
import { openClient } from '../harness/openClient.mjs'

/**
 * Sends one request over and over, each at its own moment however long the others take, until `isOver` says so. Answers
 * with latencies in milliseconds, in ascending order, counted from the moment when each was due: a request that had to
 * wait for a connection waited, too.
 */
export async function sendSteadily({ url, key, body }, { clients, perSecond, isOver }) {
  const client = openClient(clients)
  const headers = { authorization: `Bearer ${key}`, 'content-type': 'application/json' }
  const latencies = []
  const send = async (dueAt) => {
    const { status, text } = await client.send(`${url}/graphql`, { method: 'POST', headers, body })
    if (status !== 200 || !text.startsWith('{"data":')) throw new Error(`${status} ${text}`)
    latencies.push(performance.now() - dueAt)
  }
  const sent = []
  const begun = performance.now()
  for (let number = 0; !isOver(); number += 1) {
    const dueAt = begun + (number * 1_000) / perSecond
    const early = dueAt - performance.now()
    if (early > 0) await sleep(early)
    sent.push(send(Math.max(dueAt, begun)))
  }
  await Promise.all(sent)
  client.close()
  return latencies.sort((a, b) => a - b)
}
