import { type IncomingMessage, request as ask, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { generate } from 'selfsigned'

/** What a proxy makes of a request, as those that people run do it. */
export interface ProxyManners {
  /** nginx's `proxy_pass` replaces the host unless told otherwise; Caddy keeps it. */
  keepsHost: boolean
  /** A path that is taken off before a request is passed on: empty, or `/files`. */
  strips: string
}

export interface TlsProxy {
  readonly port: number
  /** May be changed between requests. */
  readonly manners: ProxyManners
  /** Where requests are passed on to. */
  passTo(port: number): void
  close(): Promise<void>
}

/** A TLS proxy on 127.0.0.1 with a certificate that nobody trusts, passing requests on to a port of 127.0.0.1. */
export async function startTlsProxy(names: readonly string[]): Promise<TlsProxy> {
  const altNames = names.map((value) => ({ type: 2 as const, value }))
  const { cert, private: key } = await generate([{ name: 'commonName', value: names[0] ?? '' }], {
    keyType: 'ec',
    extensions: [{ name: 'subjectAltName', altNames }],
  })
  const manners: ProxyManners = { keepsHost: true, strips: '' }
  let target = 0
  const server = createServer({ cert, key }, (incoming, outgoing) => pass(incoming, outgoing, target, manners))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  if (typeof address !== 'object' || address === null) throw new Error('The proxy has no port')
  return {
    port: address.port,
    manners,
    passTo: (port) => (target = port),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

function pass(incoming: IncomingMessage, outgoing: ServerResponse, port: number, { keepsHost, strips }: ProxyManners) {
  const url = incoming.url ?? '/'
  const path = strips !== '' && url.startsWith(`${strips}/`) ? url.slice(strips.length) : url
  const host = keepsHost ? incoming.headers.host : `127.0.0.1:${port}`
  const headers = { ...incoming.headers, host, 'x-forwarded-for': incoming.socket.remoteAddress }
  const passed = ask({ host: '127.0.0.1', port, path, method: incoming.method, headers }, (answer) => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(outgoing)
  })
  passed.on('error', () => outgoing.destroy())
  incoming.pipe(passed)
}
