import { connect, createServer } from 'node:net'

/**
 * Stand between a product and its Postgres and its bucket, and count: `trips`, how often the product waited for an answer
 * of Postgres, however many statements it had sent before; `requests` to the bucket; and `requestsInTransaction`, those
 * of them during which any of its connections had a transaction open.
 */
export async function startCountingProxies({ postgresPort, bucketPort }) {
  const counts = { trips: 0, requests: 0, requestsInTransaction: 0 }
  const open = new Set()
  const database = await startProxy(postgresPort, (connection) => ({
    fromClient() {
      if (!connection.waits) counts.trips += 1
      connection.waits = true
    },
    fromServer(data) {
      connection.waits = false
      noteTransaction(open, connection, data)
    },
  }))
  const bucket = await startProxy(bucketPort, () => ({
    fromClient(data) {
      if (!/^[A-Z]+ \/\S* HTTP\/1\.1\r\n/.test(data.toString('latin1'))) return
      counts.requests += 1
      if (open.size > 0) counts.requestsInTransaction += 1
    },
    fromServer: () => undefined,
  }))
  const reset = () => Object.assign(counts, { trips: 0, requests: 0, requestsInTransaction: 0 })
  const stop = () => Promise.all([database.stop(), bucket.stop()])
  return { databasePort: database.port, bucketPort: bucket.port, counts, reset, stop }
}

/**
 * ReadyForQuery ends every answer: `Z`, a length of 5, and `I` outside of a transaction.
 * https://www.postgresql.org/docs/current/protocol-message-formats.html
 */
function noteTransaction(open, connection, data) {
  const end = data.subarray(-6)
  if (end.toString('latin1', 0, 5) !== 'Z\0\0\0\u0005') return
  if (end[5] === 'I'.charCodeAt(0)) open.delete(connection)
  else open.add(connection)
}

function startProxy(targetPort, watch) {
  const sockets = new Set()
  const server = createServer((client) => {
    const target = connect(targetPort, '127.0.0.1')
    const { fromClient, fromServer } = watch({ waits: false })
    pass(client, target, fromClient)
    pass(target, client, fromServer)
    for (const socket of [client, target]) sockets.add(socket.setNoDelay())
  })
  const stop = () => {
    for (const socket of sockets) socket.destroy()
    return new Promise((resolve) => server.close(resolve))
  }
  return new Promise((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', () => resolve({ port: server.address().port, stop }))
  })
}

function pass(from, to, watch) {
  from.on('data', (data) => {
    watch(data)
    to.write(data)
  })
  from.on('error', () => to.destroy())
  from.on('close', () => to.destroy())
}
