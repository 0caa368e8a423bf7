import { type IncomingMessage, request, type ServerResponse } from 'node:http'
import { createServer } from 'node:https'
import { generate } from 'selfsigned'

export interface TlsProxy {
  readonly port: number
  /** Forwards requests for this host, with its port if that is not 443, to the server on `port`. */
  forward(host: string, port: number): void
  close(): Promise<void>
}

/** A proxy as operators use it: it terminates TLS and forwards the request with its `Host`, its path and `X-Forwarded-*`. */
export async function startTlsProxy(): Promise<TlsProxy> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: 'proxy of the tests' }])
  const ports = new Map<string, number>()
  const server = createServer({ key, cert }, (asked, answer) => {
    const port = ports.get(asked.headers.host ?? '')
    if (port === undefined) answer.writeHead(421).end()
    else passOn(port, asked, answer)
  })
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(0, resolve))
  const address = server.address()
  return {
    port: typeof address === 'object' && address ? address.port : 0,
    forward: (host, port) => void ports.set(host, port),
    close: async () => {
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

function passOn(port: number, asked: IncomingMessage, answer: ServerResponse): void {
  const headers = {
    ...asked.headers,
    'x-forwarded-for': asked.socket.remoteAddress,
    'x-forwarded-proto': 'https',
    'x-forwarded-host': asked.headers.host,
  }
  const options = { host: '127.0.0.1', port, method: asked.method ?? 'GET', path: asked.url ?? '/', headers }
  const passed = request(options, (response) => {
    answer.writeHead(response.statusCode ?? 502, response.headers)
    response.pipe(answer)
  })
  passed.once('error', () => answer.headersSent || answer.writeHead(502).end())
  answer.once('close', () => passed.destroy())
  asked.pipe(passed)
}
