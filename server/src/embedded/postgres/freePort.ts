import { createServer } from 'node:net'

/** The preferred port if it is free on loopback, otherwise any free port. */
export async function freePort(wanted: number | null): Promise<number> {
  return (
    (wanted === null ? null : await tryPort(wanted)) ??
    (await tryPort(0)) ??
    Promise.reject(new Error('No port is free'))
  )
}

function tryPort(port: number): Promise<number | null> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(null))
    server.listen({ port, host: '127.0.0.1', exclusive: true }, () => {
      const address = server.address()
      server.close(() => resolve(typeof address === 'object' && address ? address.port : null))
    })
  })
}
