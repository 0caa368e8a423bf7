import { connect as connectSocket, type Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { connect as connectTls } from 'node:tls'
import type { HostAddress } from './databaseAddress.ts'

/** SSLRequest: https://www.postgresql.org/docs/18/protocol-message-formats.html */
const sslRequest = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47])

/**
 * Connects to one server, with TLS if the address requires it. The driver sends its first message on the socket.
 *
 * The driver writes a kilobyte at a time. With Nagle's algorithm, the rest of a write would wait until the database
 * acknowledges the first part, which costs a round trip. https://datatracker.ietf.org/doc/html/rfc896
 */
export async function openSocket({ host, port, tls, tlsIsOptional }: HostAddress, timeoutMs: number): Promise<Socket> {
  let socket = connectSocket(
    host.startsWith('/') ? { path: `${host}/.s.PGSQL.${port}` } : { host, port, noDelay: true },
  )
  const timer = setTimeout(
    () => socket.destroy(failure('CONNECT_TIMEOUT', `${host}:${port} does not answer`)),
    timeoutMs,
  )
  try {
    await happened(socket, 'connect')
    if (tls === false) return socket
    const offers = await offersTls(socket)
    if (!offers && tlsIsOptional) return socket
    if (!offers) {
      socket.destroy()
      throw failure('EPROTO', `${host}:${port} does not offer TLS`)
    }
    socket = connectTls({ ...tls, socket })
    await happened(socket, 'secureConnect')
    return socket
  } finally {
    clearTimeout(timer)
  }
}

/**
 * Opens a socket for postgres.js, which notices failures only as events of a socket: if opening one rejects, statements
 * that wait for the connection wait forever. So a failure is returned as a socket whose first write fails.
 */
export function openSocketFor(open: () => Promise<Socket>): Promise<Duplex> {
  return open().catch(
    (error: Error) => new Duplex({ read: () => undefined, write: (_chunk, _encoding, written) => written(error) }),
  )
}

/** Asks a server on a connection of its own whether it offers TLS. False if it does not answer. */
export async function serverOffersTls(host: HostAddress, timeoutMs: number): Promise<boolean> {
  const opened = await openSocket({ ...host, tls: false }, timeoutMs).catch(() => null)
  if (!opened) return false
  opened.setTimeout(timeoutMs, () => opened.destroy())
  return offersTls(opened)
    .catch(() => false)
    .finally(() => opened.destroy())
}

async function offersTls(socket: Socket): Promise<boolean> {
  socket.write(sslRequest)
  const answer = (await happened(socket, 'data')) as Buffer
  return answer.toString('latin1').startsWith('S')
}

/** Resolves with the value of the event. Rejects if the connection fails or ends first. */
function happened(socket: Socket, event: string): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const stopListening = () => socket.off(event, succeed).off('error', fail).off('close', end)
    const succeed = (value: unknown) => {
      stopListening()
      resolve(value)
    }
    const fail = (error: Error) => {
      stopListening()
      socket.destroy()
      reject(error)
    }
    const end = () => fail(failure('ECONNRESET', 'The server closed the connection'))
    socket.once(event, succeed).once('error', fail).once('close', end)
  })
}

const failure = (code: string, message: string) => Object.assign(new Error(message), { code })
