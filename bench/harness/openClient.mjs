import { Agent, request as startRequest } from 'node:http'

const answerPatienceMs = 30_000

/**
 * A crowd of clients that keep their connections. `send` answers with `{ status, text }`, or with null where the request
 * was given up after `abortAfterMs` as a closed browser tab does; it rejects when a connection was lost by the other side.
 */
export function openClient(connections) {
  const agent = new Agent({ keepAlive: true, maxSockets: connections })
  const send = (url, { method, headers, body, abortAfterMs }) =>
    new Promise((resolve, reject) => {
      const length = { 'content-length': Buffer.byteLength(body) }
      const sent = startRequest(url, { agent, method, headers: { ...headers, ...length }, timeout: answerPatienceMs })
      let isGivenUp = false
      const settle = (end) => (value) => {
        clearTimeout(timer)
        end(value)
      }
      const fail = settle((error) => (isGivenUp ? resolve(null) : reject(error)))
      const giveUp = () => {
        isGivenUp = true
        sent.destroy()
        fail()
      }
      const timer = abortAfterMs === undefined ? undefined : setTimeout(giveUp, abortAfterMs)
      sent.on('timeout', () => sent.destroy(new Error('no answer in time')))
      sent.on('error', fail)
      sent.on('response', (response) => {
        let text = ''
        response.setEncoding('utf8')
        response.on('data', (part) => (text += part))
        response.on('error', fail)
        response.on('end', () => settle(resolve)({ status: response.statusCode, text }))
      })
      sent.end(body)
    })
  return { send, close: () => agent.destroy() }
}
