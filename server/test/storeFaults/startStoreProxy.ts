import { once } from 'node:events'
import {
  createServer,
  request as httpRequest,
  type ClientRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { pipeline } from 'node:stream/promises'

/** What a rule can tell a request by. */
export interface SeenRequest {
  readonly method: string
  /** Path and query, as they came: `/files?list-type=2&prefix=org%2F`. */
  readonly url: string
  readonly headers: IncomingHttpHeaders
}

/** One request on its way. */
export interface Passage {
  readonly seen: SeenRequest
  readonly request: IncomingMessage
  readonly response: ServerResponse
  /** Sends the request on and resolves with the head of the store's answer. The body goes as it is, or as told. */
  forward(sendBody?: (onward: ClientRequest) => void): Promise<IncomingMessage>
  /** Sends the request on and the answer back, as if there were no proxy. */
  pass(): Promise<void>
}

/** What befalls a request instead of being passed on: see `faults.ts` and `listings.ts`. */
export type Fault = (passage: Passage) => Promise<void> | void

export interface StoreProxy {
  /** Takes the place of the store's own: `http://127.0.0.1:4001`. */
  readonly endpoint: string
  /** Each request that came, in order, whatever became of it. */
  readonly requests: readonly { readonly method: string; readonly path: string }[]
  /** From now on the fault befalls what matches, `times` times or permanently. Of several rules the oldest counts. */
  on(match: (request: SeenRequest) => boolean, fault: Fault, times?: number): void
  /** Forgets all rules. */
  clear(): void
  close(): Promise<void>
}

interface Rule {
  readonly match: (request: SeenRequest) => boolean
  readonly fault: Fault
  left: number
}

/**
 * A door in front of an S3 endpoint (plain HTTP, path style) that passes everything through unchanged until it is told
 * to misbehave. The `host` header goes through as well: clients sign for the proxy's address, and a store judges a
 * signature by the header that it gets.
 */
export async function startStoreProxy(storeEndpoint: string): Promise<StoreProxy> {
  const { hostname, port } = new URL(storeEndpoint)
  const store = { hostname: hostname.replaceAll(/[[\]]/g, ''), port }
  const requests: { method: string; path: string }[] = []
  const rules: Rule[] = []

  const answer = (expectsContinue: boolean) => (request: IncomingMessage, response: ServerResponse) => {
    const passage = openPassage(store, request, response, expectsContinue)
    const { seen } = passage
    requests.push({ method: seen.method, path: seen.url.split('?', 1)[0] ?? '' })
    const rule = rules.find(({ left, match }) => left > 0 && match(seen))
    if (rule) rule.left -= 1
    const work = rule ? Promise.resolve(passage).then(rule.fault) : passage.pass()
    // Whatever went wrong on the way, the client finds its connection closed, as if the store had closed it.
    work.catch(() => response.destroy())
  }
  const server = createServer({ requestTimeout: 0, noDelay: true })
  server.on('request', answer(false))
  server.on('checkContinue', answer(true))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')

  return {
    endpoint: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    requests,
    on: (match, fault, times = Infinity) => void rules.push({ match, fault, left: times }),
    clear: () => void rules.splice(0),
    close: async () => {
      const closed = once(server, 'close')
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}

function openPassage(
  store: { readonly hostname: string; readonly port: string },
  request: IncomingMessage,
  response: ServerResponse,
  expectsContinue: boolean,
): Passage {
  const { method = 'GET', url = '/', headers } = request
  request.on('error', ignore)

  async function forward(sendBody = (onward: ClientRequest) => void request.pipe(onward)): Promise<IncomingMessage> {
    // A connection for each request: none is stale after an outage of the store.
    const options = { ...store, method, path: url, headers: request.rawHeaders, setHost: false, agent: false as const }
    const onward = httpRequest(options)
    response.on('close', () => onward.destroy())
    if (expectsContinue) onward.on('continue', () => response.writeContinue())
    const answered = new Promise<IncomingMessage>((resolve, reject) => {
      // A store may answer, and hang up, before it has read all: what comes after the answer is of no interest.
      onward.once('response', resolve)
      onward.on('error', reject)
      onward.once('close', () => reject(new Error('The store closed the connection without an answer')))
    })
    sendBody(onward)
    return answered
  }

  return {
    seen: { method, url, headers },
    request,
    response,
    forward,
    pass: async () => {
      const answer = await forward()
      sendHead(response, answer)
      await pipeline(answer, response)
    },
  }
}

/** Headers go out as they came in; none is added, left out or put elsewhere. */
export function sendHead(response: ServerResponse, answer: IncomingMessage): void {
  response.sendDate = false
  response.writeHead(answer.statusCode ?? 502, answer.statusMessage, answer.rawHeaders)
}

/** A broken connection is noticed where the request is sent on. */
function ignore(): void {}
