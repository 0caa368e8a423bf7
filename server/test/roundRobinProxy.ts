import { once } from 'node:events'
import { Agent, createServer, type IncomingMessage, request, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A proxy as operators run it: it takes turns, keeps connections open, checks `/readyz` and never sends a request twice. */
export interface RoundRobinProxy {
  readonly url: string
  /** Why requests were not answered by a server. Each is a 502 or a 503 for its client. */
  readonly failures: readonly string[]
  /** How many requests the server on this port has answered. */
  answersOf(port: number): number
  isUp(port: number): boolean
  close(): Promise<void>
}

interface Upstream {
  readonly port: number
  readonly agent: Agent
  isUp: boolean
  answers: number
}

const checkMs = 100
const checkPatienceMs = 1_000

export async function startRoundRobinProxy(ports: readonly number[]): Promise<RoundRobinProxy> {
  const upstreams = ports.map((port): Upstream => ({ port, agent: openAgent(), isUp: false, answers: 0 }))
  const failures: string[] = []
  let turn = 0
  const next = (): Upstream | undefined => {
    const up = upstreams.filter(({ isUp }) => isUp)
    turn += 1
    return up[turn % up.length]
  }
  const server = createServer((asked, response) => {
    const upstream = next()
    const fail = (status: number, reason: string) => {
      failures.push(reason)
      response.writeHead(status).end()
    }
    if (!upstream) return fail(503, 'no server is up')
    passOn(upstream, asked, response, (error) => fail(502, `${upstream.port}: ${error.message}`))
  })
  const checks = setInterval(() => upstreams.forEach((upstream) => void check(upstream)), checkMs)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const find = (port: number) => upstreams.find((upstream) => upstream.port === port)
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    failures,
    answersOf: (port) => find(port)?.answers ?? 0,
    isUp: (port) => find(port)?.isUp ?? false,
    async close() {
      clearInterval(checks)
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      for (const { agent } of upstreams) agent.destroy()
      await closed
    },
  }
}

const openAgent = () => new Agent({ keepAlive: true, maxSockets: 32 })

function passOn(
  upstream: Upstream,
  asked: IncomingMessage,
  response: ServerResponse,
  fail: (error: Error) => void,
): void {
  const { method, url: path, headers } = asked
  const { connection: _, ...sent } = headers
  const onward = request({ host: '127.0.0.1', port: upstream.port, agent: upstream.agent, method, path, headers: sent })
  onward.once('error', (error) => (response.headersSent ? response.destroy() : fail(error)))
  onward.once('response', (answer) => {
    upstream.answers += 1
    const { connection: __, 'keep-alive': ___, ...received } = answer.headers
    response.writeHead(answer.statusCode ?? 502, received)
    answer.pipe(response)
  })
  asked.pipe(onward)
}

/** One failed check takes a server out, and one good check takes it back in. */
async function check(upstream: Upstream): Promise<void> {
  const signal = AbortSignal.timeout(checkPatienceMs)
  const url = `http://127.0.0.1:${upstream.port}/readyz`
  upstream.isUp = await fetch(url, { signal }).then(
    async (answer) => {
      await answer.arrayBuffer()
      return answer.ok
    },
    () => false,
  )
}
