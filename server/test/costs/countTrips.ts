import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

export interface TripCounter {
  /** The database's address by way of the counter. */
  readonly url: string
  /** How often a client began to wait for the database, however many statements it had sent before. */
  trips: number
  close(): Promise<void>
}

/** Longer than a client takes between two writes of what it sends at once. */
const holdMs = 20

/**
 * Stands between clients and a Postgres and passes everything through. Answers are held back for a moment, so that what a
 * client sends without waiting for them, be it in several writes, is known for it.
 */
export async function startTripCounter(databaseUrl: string): Promise<TripCounter> {
  const target = new URL(databaseUrl)
  const sockets = new Set<Socket>()
  const server = createServer((client) => {
    const database = connect(Number(target.port), target.hostname)
    let waits = false
    client.on('data', (sent) => {
      if (!waits) counter.trips += 1
      waits = true
      database.write(sent)
    })
    database.on('data', (answer) => {
      setTimeout(() => {
        waits = false
        client.write(answer)
      }, holdMs)
    })
    for (const [from, to] of [
      [client, database],
      [database, client],
    ] as const) {
      sockets.add(from.setNoDelay())
      from.on('error', () => to.destroy())
      from.on('close', () => {
        sockets.delete(from)
        to.destroy()
      })
    }
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const counter = {
    url: Object.assign(new URL(databaseUrl), { hostname: '127.0.0.1', port }).href,
    trips: 0,
    close: async () => {
      for (const socket of sockets) socket.destroy()
      await new Promise((resolve) => server.close(resolve))
    },
  }
  return counter
}
